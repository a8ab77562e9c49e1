from django.urls import path

from .api import staff, tablet

urlpatterns = [
    path("tablet/menu", tablet.TabletMenu.as_view()),
    path("staff/categories", staff.Categories.as_view()),
    path("staff/categories/order", staff.CategoryOrder.as_view()),
    path("staff/categories/<uuid:category_id>", staff.CategoryDetail.as_view()),
    path("staff/items", staff.Items.as_view()),
    path("staff/items/order", staff.ItemOrder.as_view()),
    path("staff/items/<uuid:item_id>", staff.ItemDetail.as_view()),
    path("staff/items/<uuid:item_id>/image", staff.ItemImage.as_view()),
    path("staff/option-groups", staff.OptionGroups.as_view()),
    path("staff/option-groups/<uuid:group_id>", staff.OptionGroupDetail.as_view()),
    path("staff/options/<uuid:option_id>", staff.OptionDetail.as_view()),
]
