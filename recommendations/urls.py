from django.urls import path

from listings.addresses import register

from .views import browse, favourites, items, privacy

register()

urlpatterns = [
    path("", browse.browse, name="browse"),
    path("c/<slug:category_id>/", browse.browse, name="category"),
    path("item/<public_id:public_id>/", items.item, name="item"),
    path("seller/<username:username>/", items.seller, name="seller"),
    path("favourites/", favourites.favourites, name="favourites"),
    path("privacy/", privacy.what_left, name="what-left"),
]
