from django.urls import path, re_path

from . import api
from .addresses import register
from .views import accounts, decisions, files, market, moderation, orders, quality, releases, savings, selling, trust

register()

urlpatterns = [
    path("item/<public_id:public_id>/buy/", orders.buy, name="buy"),
    path("item/<public_id:public_id>/report/", decisions.report, name="report"),
    path("decisions/", decisions.mine, name="decisions"),
    path("decisions/<int:pk>/", decisions.decision, name="decision"),
    path("decisions/<int:pk>/statement.json", decisions.statement_json, name="decision-json"),
    path("decisions/checks/<int:pk>/", decisions.sent_back, name="sent-back"),
    path("decisions/checks/<int:pk>/statement.json", decisions.sent_back_json, name="sent-back-json"),
    path("decisions/suspensions/<int:pk>/", decisions.suspension, name="suspension"),
    path("decisions/suspensions/<int:pk>/statement.json", decisions.suspension_json, name="suspension-json"),
    path("notices/", decisions.my_notices, name="notices"),
    path("notices/<int:pk>/", decisions.open_notice, name="notice"),
    path("sell/<public_id:public_id>/ask/", decisions.ask_for_a_person, name="ask-for-a-person"),
    path("rules/", market.rules, name="rules"),
    path("sell/", selling.my_listings, name="my-listings"),
    path("sell/start/", selling.start_selling, name="start-selling"),
    path("sell/new/", selling.new, name="sell-new"),
    path("sell/<public_id:public_id>/edit/", selling.edit, name="sell-edit"),
    re_path(
        r"^sell/(?P<public_id>[a-z0-9]{1,12})/(?P<step>pause|resume|end)/$", selling.change_status, name="sell-status"
    ),
    path("sell/drafts/<uuid:key>/delete/", selling.delete_draft, name="draft-delete"),
    path("orders/", orders.bought, name="orders"),
    path("sales/", orders.sales, name="sales"),
    re_path(r"^orders/(?P<pk>\d+)/(?P<step>settle|cancel)/$", orders.change, name="order-change"),
    path("accounts/sign-in/", accounts.SignInView.as_view(), name="sign-in"),
    path("accounts/sign-up/", accounts.sign_up, name="sign-up"),
    path("accounts/sign-out/", accounts.SignOutView.as_view(), name="sign-out"),
    path("accounts/demo/<str:role>/", accounts.demo_sign_in, name="demo-sign-in"),
    path("accounts/settings/", accounts.account, name="account"),
    path("moderation/", moderation.review_queue, name="moderation-queue"),
    path("moderation/next/", moderation.next_case, name="moderation-next"),
    path("moderation/undo/", moderation.undo, name="moderation-undo"),
    path("moderation/bulk/", moderation.bulk, name="moderation-bulk"),
    path("moderation/preview/", moderation.preview, name="moderation-preview"),
    path("moderation/statements.csv", decisions.export, name="moderation-export"),
    path("moderation/<int:pk>/", moderation.case, name="moderation-case"),
    path("moderation/<int:pk>/renew/", moderation.renew, name="moderation-renew"),
    path("moderation/trust/", trust.trust, name="moderation-trust"),
    path("moderation/record/<public_id:public_id>/", trust.listing_record, name="moderation-record"),
    path("moderation/savings/", savings.page, name="moderation-savings"),
    path("moderation/models/", releases.models_page, name="moderation-models"),
    path("moderation/quality/", quality.page, name="moderation-quality"),
    path("media/<path:path>", files.media, name="media"),
    path("api/docs", api.docs, name="api-docs"),
    path("sw.js", files.service_worker, name="service-worker"),
]
