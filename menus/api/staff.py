from rest_framework.response import Response

from menus import choices, images, services
from menus.errors import CategoryNotEmpty, ImageInvalid, ImageType, NameExists, OrderMismatch
from menus.models import Category, Item, Option, OptionGroup
from menus.payloads import category_payload, item_payload, option_group_payload, option_payload
from stores.api.endpoint import Endpoint, Role
from tableorder.errors import Absent, Forbidden
from tableorder.openapi import OpenApiParameter, documented
from tableorder.paging import id_in, page

from . import schemas
from .multipart import ImageForm

FOR_MANAGERS = {"sold_out", "stock"}  # what a manager may change of an item


class Categories(Endpoint):
    role = {"GET": Role.MANAGER, "POST": Role.OWNER}

    @documented(answers={200: schemas.CategoryPage}, listed=True)
    def get(self, request):
        rows, cursor = page(Category.objects.in_store(self.store).alive(), request.query_params, by=["position", "id"])
        return Response({"results": [category_payload(category) for category in rows], "next": cursor})

    @documented(request=schemas.CategoryInput, answers={201: schemas.CategoryOutput}, refuses=[NameExists])
    def post(self, request):
        category = services.create_category(self.store, **self.body(schemas.CategoryInput), actor=self.caller.user)
        return Response(category_payload(category), status=201)


class CategoryDetail(Endpoint):
    role = Role.OWNER

    @documented(request=schemas.CategoryInput, answers={200: schemas.CategoryOutput}, refuses=[Absent, NameExists])
    def patch(self, request, category_id):
        category = Category.objects.in_store(self.store).alive().get_or_absent(category_id)
        category = services.change_category(category, **self.body(schemas.CategoryInput), actor=self.caller.user)
        return Response(category_payload(category))

    @documented(answers={204: None}, refuses=[Absent, CategoryNotEmpty])
    def delete(self, request, category_id):
        category = Category.objects.in_store(self.store).alive().get_or_absent(category_id)
        services.delete_category(category, actor=self.caller.user)
        return Response(status=204)


class CategoryOrder(Endpoint):
    role = Role.OWNER

    @documented(request=schemas.CategoryOrderInput, answers={200: schemas.CategoryPage}, refuses=[OrderMismatch])
    def put(self, request):
        rows = services.order_categories(self.store, **self.body(schemas.CategoryOrderInput), actor=self.caller.user)
        return Response({"results": [category_payload(category) for category in rows], "next": None})


class Items(Endpoint):
    role = {"GET": Role.MANAGER, "POST": Role.OWNER}

    @documented(
        answers={200: schemas.ItemPage},
        refuses=[Absent],
        parameters=[OpenApiParameter("category", {"type": "string", "format": "uuid"})],
        listed=True,
    )
    def get(self, request):
        items = Item.objects.in_store(self.store).alive().select_related("category").with_choices()
        if "category" in request.query_params:
            category = Category.objects.in_store(self.store).alive().get_or_absent(id_in(request.query_params, "category"))
            items = items.filter(category=category)
        rows, cursor = page(items, request.query_params, by=["category__position", "category_id", "position", "id"])
        return Response({"results": [item_payload(item) for item in rows], "next": cursor})

    @documented(request=schemas.NewItem, answers={201: schemas.ItemOutput}, refuses=[Absent, NameExists])
    def post(self, request):
        item = services.create_item(self.store, **self.body(schemas.NewItem), actor=self.caller.user)
        return Response(item_payload(item), status=201)


class ItemDetail(Endpoint):
    role = {"GET": Role.MANAGER, "PATCH": Role.MANAGER, "DELETE": Role.OWNER}

    @documented(answers={200: schemas.ItemOutput}, refuses=[Absent])
    def get(self, request, item_id):
        return Response(item_payload(Item.objects.in_store(self.store).alive().with_choices().get_or_absent(item_id)))

    @documented(request=schemas.ItemChange, answers={200: schemas.ItemOutput}, refuses=[Absent, NameExists])
    def patch(self, request, item_id):
        """Managers may send `sold_out` and `stock`, owners everything."""
        item = Item.objects.in_store(self.store).alive().get_or_absent(item_id)
        asked = self.body(schemas.ItemChange)
        if not self.caller.is_owner and not asked.keys() <= FOR_MANAGERS:
            raise Forbidden()
        return Response(item_payload(services.change_item(item, **asked, actor=self.caller.user)))

    @documented(answers={204: None}, refuses=[Absent])
    def delete(self, request, item_id):
        services.delete_item(Item.objects.in_store(self.store).alive().get_or_absent(item_id), actor=self.caller.user)
        return Response(status=204)


class ItemOrder(Endpoint):
    role = Role.OWNER

    @documented(request=schemas.ItemOrderInput, answers={200: schemas.ItemPage}, refuses=[Absent, OrderMismatch])
    def put(self, request):
        rows = services.order_items(self.store, **self.body(schemas.ItemOrderInput), actor=self.caller.user)
        return Response({"results": [item_payload(item) for item in rows], "next": None})


class ItemImage(Endpoint):
    role = Role.OWNER
    parser_classes = [ImageForm]

    @documented(
        request={"multipart/form-data": schemas.ImageInput},
        answers={200: schemas.ItemOutput},
        refuses=[Absent, ImageInvalid, ImageType],
    )
    def post(self, request, item_id):
        item = Item.objects.in_store(self.store).alive().get_or_absent(item_id)
        upload = self.body(schemas.ImageInput)["image"]
        return Response(item_payload(services.store_image(item, images.read(upload), actor=self.caller.user)))

    @documented(answers={204: None}, refuses=[Absent])
    def delete(self, request, item_id):
        services.remove_image(Item.objects.in_store(self.store).alive().get_or_absent(item_id), actor=self.caller.user)
        return Response(status=204)


class OptionGroups(Endpoint):
    role = {"GET": Role.MANAGER, "POST": Role.OWNER}

    @documented(answers={200: schemas.OptionGroupPage}, listed=True)
    def get(self, request):
        groups = OptionGroup.objects.in_store(self.store).alive().with_options()
        rows, cursor = page(groups, request.query_params, by=["name", "id"])
        return Response({"results": [option_group_payload(group) for group in rows], "next": cursor})

    @documented(request=schemas.NewOptionGroup, answers={201: schemas.OptionGroupOutput})
    def post(self, request):
        group = choices.create_option_group(self.store, **self.body(schemas.NewOptionGroup), actor=self.caller.user)
        return Response(option_group_payload(group), status=201)


class OptionGroupDetail(Endpoint):
    role = Role.OWNER

    @documented(request=schemas.OptionGroupChange, answers={200: schemas.OptionGroupOutput}, refuses=[Absent])
    def patch(self, request, group_id):
        group = OptionGroup.objects.in_store(self.store).alive().get_or_absent(group_id)
        group = choices.change_option_group(group, **self.body(schemas.OptionGroupChange), actor=self.caller.user)
        return Response(option_group_payload(group))

    @documented(answers={204: None}, refuses=[Absent])
    def delete(self, request, group_id):
        """Soft, and off the items that offer it."""
        group = OptionGroup.objects.in_store(self.store).alive().get_or_absent(group_id)
        choices.delete_option_group(group, actor=self.caller.user)
        return Response(status=204)


class OptionDetail(Endpoint):
    role = Role.MANAGER

    @documented(request=schemas.OptionChange, answers={200: schemas.OptionOutput}, refuses=[Absent])
    def patch(self, request, option_id):
        option = Option.objects.in_store(self.store).alive().get_or_absent(option_id)
        return Response(option_payload(choices.change_option(option, **self.body(schemas.OptionChange), actor=self.caller.user)))
