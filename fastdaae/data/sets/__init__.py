"""The named data sets, a module each: their published files, or where there are none, how they are made."""
