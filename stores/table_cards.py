"""Cards to print, one for each table: a code that opens the tablet's page with store and table filled in.

Never with the password: who finds a card can do nothing with it.
"""

from urllib.parse import urlencode

import segno
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe

from tableorder.screens import secured

from .models import Table


def table_cards(request, tables: list[Table]):
    """The page with their cards, four on a sheet of A4. The tables come with their stores."""
    cards = [{"table": table, "store": table.store, "code": _code(address_of(request, table))} for table in tables]
    return secured(render(request, "table_cards/table_cards.html", {"cards": cards}))


def address_of(request, table: Table) -> str:
    """Where the tablet's page is, as the browser sees it that asks for the card."""
    return request.build_absolute_uri(f"{reverse('tablet')}?{urlencode({'store': table.store.code, 'table': table.number})}")


def _code(address: str) -> str:
    """An SVG of squares only: nothing of the address stands in it as text. Readable with a coffee stain on it."""
    return mark_safe(segno.make(address, error="q", micro=False).svg_inline(omitsize=True, lineclass=None, svgclass="code"))
