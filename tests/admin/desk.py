"""A person at the admin, in a browser that sends back the forms it was shown, with every hidden field."""

import html
import json
import re
from html.parser import HTMLParser

from django.contrib import admin, messages
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from stores.models import User
from tests.world import PASSWORD


class _Fields(HTMLParser):
    """The fields of the page's main form, as a browser would send them back untouched."""

    def __init__(self, form_id):
        super().__init__()
        self.form_id, self.inside, self.fields, self.choices = form_id, False, {}, {}
        self.select = self.textarea = None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.inside = attrs.get("id") == self.form_id
        name = attrs.get("name")
        if not self.inside:
            return
        if tag == "input" and name and attrs.get("type") not in ("submit", "file", "button"):
            if attrs.get("type") not in ("checkbox", "radio") or "checked" in attrs:
                self.fields[name] = attrs.get("value", "on" if attrs.get("type") == "checkbox" else "")
        elif tag == "select" and name:
            self.select = name
            self.choices[name] = []
        elif tag == "textarea" and name:
            self.textarea = name
            self.fields[name] = ""
        elif tag == "option" and self.select:
            self.choices[self.select].append(attrs.get("value", ""))
            if "selected" in attrs or self.select not in self.fields:
                self.fields[self.select] = attrs.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.textarea = None

    def handle_data(self, data):
        if self.textarea:
            self.fields[self.textarea] += data.removeprefix("\n").removeprefix("\r\n")


class Form:
    """A form as the browser holds it: `fields` as shown, `choices` by select."""

    def __init__(self, desk, path, answer, form_id):
        assert answer.status_code == 200, (path, answer.status_code)
        parser = _Fields(form_id)
        parser.feed(answer.content.decode())
        self.desk, self.path, self.fields, self.choices = desk, path, parser.fields, parser.choices

    def send(self, *without, **changes):
        """Presses Save. A `None` unticks a box."""
        data = {name: value for name, value in (self.fields | changes).items() if value is not None and name not in without}
        if "changelist" in self.path and "_save" not in data and not data.get("action"):
            data.pop("action", None)
        return self.desk.post(self.path, data)


class Desk:
    def __init__(self, user: User | None = None, **headers):
        self.http = Client(raise_request_exception=True, headers={"accept": "text/html"} | headers)
        if user is not None:
            self.http.force_login(user)

    def sign_in(self, username, password=PASSWORD, **more):
        return self.http.post(reverse("admin:login"), {"username": username, "password": password}, **more)

    def get(self, path, **query):
        return self.http.get(path, query)

    def post(self, path, data=None, **more):
        return self.http.post(path, data or {}, **more)

    def form(self, model, row=None, **query) -> Form:
        path = change_url(row) if row is not None else add_url(model)
        return Form(self, path, self.get(path, **query), f"{model._meta.model_name}_form")

    def list_form(self, model, **query) -> Form:
        path = list_url(model)
        form = Form(self, path, self.get(path, **query), "changelist-form")
        form.fields |= {"_save": "Save"}
        form.fields = {name: value for name, value in form.fields.items() if name not in ("action", "index", "select_across")}
        return form

    def act(self, model, action, *rows, **more):
        """Chooses an action for these rows of the list."""
        data = {"action": action, "_selected_action": [str(getattr(row, "pk", row)) for row in rows], "index": "0", **more}
        return self.post(list_url(model), data)

    def confirm(self, model, action, *rows, **more):
        """Answers the page that an action asks on."""
        name = "post" if action == "delete_selected" else "confirmed"
        return self.post(list_url(model), {"action": action, "_selected_action": [str(row.pk) for row in rows], name: "yes", **more})

    def drag(self, model, *rows):
        moved = {"updatedItems": [[str(row.pk), place] for place, row in enumerate(rows)]}
        return self.http.post(page("sortable_update", model), json.dumps(moved), content_type="application/json")


def page(kind, model, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=args)


def list_url(model):
    return page("changelist", model)


def add_url(model):
    return page("add", model)


def change_url(row):
    return page("change", type(row), row.pk)


def errors_of(answer) -> str:
    """What the page complains of, as text. Fails if it doesn't complain."""
    assert answer.status_code == 200, (answer.status_code, answer.headers.get("Location"))
    page = answer.content.decode()
    found = re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', page, re.DOTALL) + re.findall(
        r'<p class="errornote">(.*?)</p>', page, re.DOTALL
    )
    assert found, "no complaint"
    return html.unescape(re.sub(r"<[^>]+>", " ", " ".join(found)))


def messages_of(answer, desk) -> str:
    """What the next page says after a redirect."""
    assert answer.status_code == 302, answer.content.decode()[:2000]
    text = desk.get(answer["Location"]).content.decode()
    return html.unescape(" ".join(re.findall(r'<li class="(?:success|warning|error|info)">(.*?)</li>', text, re.DOTALL)))


def saved(answer):
    """It was saved: the answer leads on, and says nothing else."""
    if answer.status_code == 200:
        raise AssertionError(errors_of(answer))
    assert answer.status_code == 302, answer.status_code
    said = [str(message) for message in get_messages(answer.wsgi_request) if message.level >= messages.WARNING]
    assert not said, said
    return answer


REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
