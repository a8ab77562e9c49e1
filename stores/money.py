"""Amounts as people read them. Everywhere else money is an integer in the currency's smallest unit."""

# ISO 4217: how many digits stand behind the point, where it is not two.
_DIGITS = dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0) | dict.fromkeys(
    "BHD IQD JOD KWD LYD OMR TND".split(), 3
)
_SIGNS = {"KRW": "₩", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def digits_of(currency: str) -> int:
    """How many digits stand behind the point: 0 for won, 2 for dollars."""
    return _DIGITS.get(currency, 2)


def money(amount: int, currency: str) -> str:
    """18000 in KRW is ₩18,000, in USD $180.00, in CHF CHF 180.00."""
    digits = digits_of(currency)
    whole, part = divmod(abs(amount), 10**digits)
    number = f"{whole:,}.{part:0{digits}d}" if digits else f"{whole:,}"
    return f"{'-' if amount < 0 else ''}{_SIGNS.get(currency, f'{currency} ')}{number}"
