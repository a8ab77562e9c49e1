"""The page between choosing an action and doing it."""

from django.contrib import admin
from django.template.response import TemplateResponse


def confirm(model_admin: admin.ModelAdmin, request, *, action: str, title, sentence, button, rows, lines=None, form=None):
    """Asks; the answer comes back to the same action with `confirmed` in its POST, and with the form's fields.

    `lines`: what the page lists; else the rows themselves.
    """
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "title": title,
        "sentence": sentence,
        "button": button,
        "action": action,
        "rows": rows,
        "lines": rows if lines is None else lines,
        "form": form,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/confirm_action.html", context)
