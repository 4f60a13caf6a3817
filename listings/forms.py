"""What people type, checked field by field. Messages say what to do."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.core.exceptions import ValidationError
from django.utils import timezone

from . import categories, limits, policies
from .models import Condition, Photo, User
from .moderation import thresholds
from .trust import costs

MONEY_ERRORS = {
    "required": "Give a price. Write 0 if you give it away.",
    "invalid": "Write the price in digits, for example 24.50.",
    "min_value": "The price cannot be below 0.",
    "max_value": f"The price cannot be above {limits.PRICE_MAX:,}.",
    "max_digits": "This price has too many digits.",
    "max_decimal_places": "Write at most two digits after the point.",
    "max_whole_digits": f"The price cannot be above {limits.PRICE_MAX:,}.",
}


class PriceField(forms.DecimalField):
    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"min_value": 0, "max_value": limits.PRICE_MAX, "max_digits": 10, "decimal_places": 2} | kwargs
        super().__init__(error_messages=MONEY_ERRORS, **kwargs)

    def run_validators(self, value: Any) -> None:
        """One message a field: 1e400 breaks three rules at once."""
        try:
            super().run_validators(value)
        except ValidationError as error:
            raise error.error_list[0] from None


class TypedTextField(forms.CharField):
    """Text kept exactly as typed but for CRLF, so that the device's digest of it stays true."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")

    def validate(self, value: str) -> None:
        super().validate(value.strip())


class ListingForm(forms.Form):
    title = TypedTextField(
        max_length=limits.TITLE_CHARS,
        error_messages={
            "required": "Give the listing a title.",
            "max_length": "A title has at most %(limit_value)d characters; this one has %(show_value)d.",
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = TypedTextField(
        max_length=limits.DESCRIPTION_CHARS,
        error_messages={
            "required": "Describe the thing in a sentence or two.",
            "max_length": "A description has at most %(limit_value)d characters; this one has %(show_value)d.",
        },
        widget=forms.Textarea(attrs={"rows": 9}),
    )
    category = forms.ChoiceField(error_messages={"required": "Choose a category."})
    price = PriceField(widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
    currency = forms.ChoiceField(choices=[(code, code) for code in limits.CURRENCIES], initial="EUR")
    condition = forms.ChoiceField(
        choices=[("", "Choose …"), *Condition.choices], error_messages={"required": "Choose the condition."}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose: Any = self.fields["category"]
        choose.choices = [("", "Choose …"), *((c.id, c.name) for c in categories.all())]
        for name, field in self.fields.items():
            described = f"error-{name}" + (f" help-{name}" if name in ("title", "description", "price") else "")
            field.widget.attrs |= {"aria-describedby": described}
            field.widget.use_required_attribute = lambda initial: False
            # A browser cuts a long paste at maxlength without a word; we say that it is too long, and keep it.
            field.widget.attrs.pop("maxlength", None)
        self.attribute_errors: dict[str, list[str]] = {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if category := cleaned.get("category"):
            raw = {
                name.removeprefix("attr-").removeprefix(f"{category}-"): value
                for name, value in self.data.items()
                if name.startswith(f"attr-{category}-")
            }
            try:
                cleaned["attributes"] = categories.clean_attributes(category, raw)
            except ValidationError as error:
                self.attribute_errors = error.message_dict
                raise ValidationError("Please look at the details of the category.", code="attributes") from error
        return cleaned

    def general_errors(self) -> list[str]:
        """What is wrong with the form as a whole; errors of the category's details stand beside these."""
        found = self.errors.get("__all__")
        return [e.messages[0] for e in found.as_data() if e.code != "attributes"] if found else []


SORTS = [
    ("", ""),
    ("relevance", "Best match"),
    ("newest", "Newest"),
    ("price", "Price up"),
    ("-price", "Price down"),
]


QUERY_CHARS = 200


class BrowseForm(forms.Form):
    q = forms.CharField(required=False, max_length=QUERY_CHARS)
    category = forms.CharField(required=False)
    min_price = PriceField(required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    max_price = PriceField(required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    currency = forms.ChoiceField(required=False, choices=[("", "Any"), *((code, code) for code in limits.CURRENCIES)])
    condition = forms.MultipleChoiceField(
        required=False, choices=Condition.choices, widget=forms.CheckboxSelectMultiple
    )
    sort = forms.ChoiceField(
        required=False,
        choices=SORTS,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        low, high = cleaned.get("min_price"), cleaned.get("max_price")
        if low is not None and high is not None and low > high:
            self.add_error("min_price", f"This is above the highest price, {high}. Swap the two.")
            cleaned.pop("max_price")  # half of a range that makes no sense is no filter either
        return cleaned

    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in ("min_price", "max_price", "currency", "condition"))

    def filters(self) -> dict[str, Any]:
        """What is valid of it; a filter with an error is shown and left out."""
        self.full_clean()
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None, [])}


class SignUpForm(UserCreationForm):
    role = forms.ChoiceField(
        choices=[(User.Role.SHOPPER, "I want to buy"), (User.Role.MERCHANT, "I want to sell")],
        widget=forms.RadioSelect,
        initial=User.Role.SHOPPER,
        label="What brings you here?",
    )
    shop_name = forms.CharField(
        required=False, max_length=60, label="Shop name", help_text="For sellers; shown with your listings."
    )

    class Meta:
        model = User
        fields = ["username", "email", "role", "shop_name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = "Letters, digits and @ . + - _"
        self.fields["password1"].help_text = "At least 8 characters, not only digits, not a common password."
        self.fields["password2"].help_text = ""
        self.fields["email"].required = False


class AccountForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["shop_name", "town", "about", "email", "sync_drafts"]
        widgets = {"about": forms.Textarea(attrs={"rows": 4})}
        labels = {"about": "About you", "sync_drafts": "Keep my drafts in my account too"}
        help_texts = {
            "sync_drafts": "Off: drafts stay on the device you write them on. On: their text is stored here as well, "
            "so that you can go on from another device. Photos stay on the device until you submit.",
        }

    def save(self, commit: bool = True) -> User:
        """Another name or address may mean another owner: what was earned before counts no more (trust/tiers.py)."""
        if any(self.initial.get(name) for name in ("shop_name", "email") if name in self.changed_data):
            self.instance.trust_from = timezone.now()
        saved: User = super().save(commit)
        return saved


class DecisionForm(forms.Form):
    """What a moderator says of a case. What each action needs is checked where decisions are made
    (moderation/decisions.py). `photos`: those that may not come back under any listing, by their numbers in the
    database."""

    policy = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "Choose the policy that the listing breaks."}
    )
    reason = forms.CharField(
        required=False,
        max_length=limits.REASON_MOST,
        label="Reason",
        help_text="The merchant reads it. Needed for everything but an approval.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    photos = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        label="Keep these photos off the market",
        help_text="With a rejection: they and copies of them are held when somebody uploads them again.",
        error_messages={"invalid_choice": "One of these photos is not in the listing any more. Look at it again."},
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, of: Iterable[Photo] = (), **kwargs: Any) -> None:
        """of: the photos of the case."""
        super().__init__(*args, **kwargs)
        choose: Any = self.fields["policy"]
        choose.choices = [("", "None named"), *((p.id, p.name) for p in policies.all())]
        photos: Any = self.fields["photos"]
        photos.choices = [(photo.pk, f"Photo {photo.position + 1}") for photo in of]
        if not photos.choices:
            del self.fields["photos"]


class ReportForm(forms.Form):
    policy = forms.ChoiceField(
        required=False,
        label="What is wrong with it?",
        error_messages={"invalid_choice": "Choose what is wrong with it."},
    )
    text = forms.CharField(
        required=False,
        max_length=limits.REPORT_CHARS,
        label="In your words",
        help_text="What should a moderator look at? The seller does not read this.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose: Any = self.fields["policy"]
        choose.choices = [("", "Something else"), *((p.id, p.name) for p in policies.all())]


class AppealForm(forms.Form):
    text = forms.CharField(
        required=False,
        max_length=limits.APPEAL_CHARS,
        label="Why is the decision wrong?",
        help_text="Another moderator reads this beside the listing and the first decision.",
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class PeriodForm(forms.Form):
    """How far back a page of figures looks."""

    PERIODS = (7, 30, 90)
    DAYS = 30

    days = forms.TypedChoiceField(
        choices=[(days, f"{days} days") for days in PERIODS],
        coerce=int,
        error_messages={"invalid_choice": "Choose 7, 30 or 90 days.", "required": "Choose 7, 30 or 90 days."},
    )


class QualityForm(PeriodForm):
    """What the page of quality shows, as it stands in the address: a period, and what the simulator is set to."""

    model = forms.ChoiceField(
        choices=[(name, label) for name, (_, _, label) in thresholds.MODELS.items()],
        error_messages={"invalid_choice": "Choose one of the models.", "required": "Choose one of the models."},
    )
    policy = forms.ChoiceField(required=False, error_messages={"invalid_choice": "Choose one of the policies."})
    threshold = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_value=1,
        max_digits=5,
        decimal_places=4,
        error_messages={"invalid": "Write a number in digits, such as 0.25."}
        | dict.fromkeys(
            ("min_value", "max_value", "max_digits", "max_decimal_places", "max_whole_digits"),
            "Choose a number from 0.01 to 1, with four digits after the point at most.",
        ),
    )

    def __init__(self, asked: Mapping[str, str]) -> None:
        """`asked`: what the address says; of what it does not name the defaults hold."""
        super().__init__({"days": self.DAYS, "model": next(iter(thresholds.MODELS))} | dict(asked.items()))
        named = [(policy.id, policy.name) for policy in policies.all()]
        choice = self.fields["policy"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(thresholds.ANY, "All policies"), *named]

    def chosen(self) -> tuple[int, str, str, float | None]:
        """Days, model, policy, and the threshold (None: the published one); the default for each that cannot be
        used."""
        self.full_clean()
        found = self.cleaned_data
        threshold = found.get("threshold")
        return (
            found.get("days", self.DAYS),
            found.get("model", next(iter(thresholds.MODELS))),
            found.get("policy", thresholds.ANY),
            None if threshold is None else float(threshold),
        )


class SavingsForm(PeriodForm):
    """A period and what seconds and bytes are taken to cost, as they stand in the address of the savings page."""

    def __init__(self, asked: Mapping[str, str]) -> None:
        """`asked`: what the address says; of what it does not name the defaults hold."""
        super().__init__({"days": self.DAYS, **costs.defaults()} | dict(asked.items()))
        for each in costs.ALL.values():
            range_error = f"Choose a number from {each.low:g} to {each.high:g}."
            self.fields[each.name] = forms.FloatField(
                label=each.label,
                min_value=each.low,
                max_value=each.high,
                error_messages={
                    "required": range_error,
                    "invalid": "Write a number in digits, such as 0.25.",
                    "min_value": range_error,
                    "max_value": range_error,
                },
                widget=forms.TextInput(
                    attrs={"inputmode": "decimal", "aria-describedby": f"help-{each.name} error-{each.name}"}
                ),
            )

    def chosen(self) -> tuple[int, dict[str, float]]:
        """Days and assumptions; the default for each that cannot be used."""
        self.full_clean()
        terms = {name: self.cleaned_data.get(name, default) for name, default in costs.defaults().items()}
        return self.cleaned_data.get("days", self.DAYS), terms
