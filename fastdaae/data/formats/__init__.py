"""The formats that data come in: headers are read and weighed first, and what is damaged is told in one line."""
