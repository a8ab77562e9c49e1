"""Which form of an answer the client takes."""


def accepts_gzip(accept_encoding: str) -> bool:
    """Without a wish for less than all of it: `gzip;q=0` means never (RFC 9110, 12.5.3)."""
    codings = [coding.replace(" ", "").lower().partition(";q=") for coding in accept_encoding.split(",")]
    return any(name == "gzip" and (not quality or quality.strip("0.")) for name, _, quality in codings)
