"""How each of these programs ends."""


def verdict(what: str, broken: list[str], promised: str = "") -> bool:
    """Prints what was broken of what was promised; whether anything was."""
    for line in broken:
        print("BROKEN:", line)
    print(f"{what}:", "broken" if broken else "kept", promised)
    return bool(broken)
