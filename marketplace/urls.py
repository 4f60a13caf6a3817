from django.urls import include, path

from listings.api import api
from marketplace import health
from recommendations import api as _search_api  # noqa: F401  (adds its addresses to `api`)
from recommendations import feed_api as _feed_api  # noqa: F401  (likewise)

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/", api.urls),
    path("", include("recommendations.urls")),
    path("", include("listings.urls")),
]

handler400 = "marketplace.errors.bad_request"
handler403 = "marketplace.errors.forbidden"
handler404 = "marketplace.errors.not_found"
handler500 = "marketplace.errors.server_error"
