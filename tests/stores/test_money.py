import pytest

from stores.money import money


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (18000, "KRW", "₩18,000"),
        (0, "KRW", "₩0"),
        (1234567, "JPY", "¥1,234,567"),
        (18000, "USD", "$180.00"),
        (5, "USD", "$0.05"),
        (-500, "USD", "-$5.00"),
        (123456, "CHF", "CHF 1,234.56"),
        (1234567, "KWD", "KWD 1,234.567"),
    ],
)
def test_amounts_are_shown_with_their_sign_and_point(amount, currency, shown):
    assert money(amount, currency) == shown
