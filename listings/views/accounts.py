"""Signing up, in and out."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from ..forms import AccountForm, SignUpForm
from ..models import User
from .requests import SignedInRequest

BACKEND = "django.contrib.auth.backends.ModelBackend"


def landing(user: User) -> str:
    """Where each role starts its work."""
    match user.role:
        case User.Role.MERCHANT:
            return reverse("my-listings")
        case User.Role.MODERATOR:
            return reverse("moderation-queue")
        case _:
            return reverse("browse")


class SignInView(auth_views.LoginView):
    template_name = "listings/sign_in.html"
    redirect_authenticated_user = True
    extra_context = {"section": "sign-in", "roles": User.Role.choices}

    def get_default_redirect_url(self) -> str:
        user = self.request.user
        return landing(user) if isinstance(user, User) else reverse("browse")


class SignOutView(auth_views.LogoutView):
    next_page = "browse"


def sign_up(request: HttpRequest) -> HttpResponse:
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        login(request, user, backend=BACKEND)
        messages.success(request, f"Welcome, {user.display_name}.")
        return redirect(landing(user))
    return render(
        request, "listings/sign_up.html", {"form": form, "section": "sign-up"}, status=400 if form.errors else 200
    )


@require_POST
def demo_sign_in(request: HttpRequest, role: str) -> HttpResponse:
    """One click into a demo account; exists only where the operator switched the demo on."""
    if not settings.DEMO or role not in User.Role.values:
        raise Http404("The demo accounts are switched off.")
    user = User.objects.filter(username=role, role=role).first()
    if user is None:
        messages.error(request, "The demo data is not there yet. Run: manage.py demo")
        return redirect("sign-in")
    login(request, user, backend=BACKEND)
    return redirect(landing(user))


@login_required
def account(request: SignedInRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("account")
    return render(
        request, "listings/account.html", {"form": form, "section": "account"}, status=400 if form.errors else 200
    )
