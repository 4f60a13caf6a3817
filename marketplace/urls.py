from importlib.util import find_spec

from django.urls import include, path

from marketplace import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
if find_spec("listings.api"):
    from listings.api import api

    urlpatterns.append(path("api/", api.urls))
urlpatterns.append(path("", include("listings.urls")))

handler400 = "marketplace.errors.bad_request"
handler403 = "marketplace.errors.forbidden"
handler404 = "marketplace.errors.not_found"
handler500 = "marketplace.errors.server_error"
