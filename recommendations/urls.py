from django.urls import path

from .views import browse

urlpatterns = [
    path("", browse.browse, name="browse"),
    path("c/<slug:category_id>/", browse.browse, name="category"),
]
