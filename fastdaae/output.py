"""How those who wait are told: by something that moves where it can be redrawn, by plain lines elsewhere."""


def redraws(console) -> bool:
    """Whether a `rich.console.Console` writes to a notebook or to a terminal that can go back in its line.

    A file or a pipe is none, whatever FORCE_COLOR or TTY_COMPATIBLE say of colours.
    """
    if console.is_jupyter:
        return True
    return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()


def print_line(text: str) -> None:
    """Print a line at once: what Python writes to a file or a pipe waits for 8 KiB otherwise."""
    print(text, flush=True)


def duration(seconds: float) -> str:
    """A time as people say it: "12 s", "4 min 10 s", "3 h 20 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"
