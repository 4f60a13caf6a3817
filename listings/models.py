"""What the marketplace stores. Rules live in the modules named after the steps; here are shapes and status changes."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from pgvector.django import BitField

from . import limits, policies
from .lifecycle import TRANSITIONS, Status
from .signals import status_changed


def new_public_id() -> str:
    """A listing's name in URLs: not guessable from another, no look-alike characters."""
    return get_random_string(10, "abcdefghjkmnpqrstuvwxyz23456789")


class User(AbstractUser):
    class Role(models.TextChoices):
        MERCHANT = "merchant", "Merchant"
        SHOPPER = "shopper", "Shopper"
        MODERATOR = "moderator", "Moderator"

    role = models.CharField(max_length=10, choices=Role, default=Role.SHOPPER)
    shop_name = models.CharField(max_length=60, blank=True)
    town = models.CharField(max_length=60, blank=True)
    about = models.CharField(max_length=500, blank=True)
    sync_drafts = models.BooleanField(default=False)
    # Trust counts from here on; moved when the account may have changed hands (trust/tiers.py).
    trust_from = models.DateTimeField(null=True, blank=True)
    suspended_until = models.DateTimeField(null=True, blank=True)  # moderation/strikes.py; sells nothing until then

    @property
    def is_merchant(self) -> bool:
        return self.role == self.Role.MERCHANT

    @property
    def is_moderator(self) -> bool:
        return self.role == self.Role.MODERATOR

    @property
    def is_suspended(self) -> bool:
        return self.suspended_until is not None and self.suspended_until > timezone.now()

    @property
    def display_name(self) -> str:
        return self.shop_name or self.username


class Condition(models.TextChoices):
    NEW = "new", "New"
    LIKE_NEW = "like_new", "Like new"
    GOOD = "good", "Good"
    FAIR = "fair", "Fair"
    FOR_PARTS = "for_parts", "For parts"


class ListingQuerySet(models.QuerySet["Listing"]):
    def published(self) -> ListingQuerySet:
        return self.filter(status=Status.PUBLISHED)

    def hold(self, pk: int) -> None:
        """Lock the row until the transaction ends. Whoever locks a listing and its jobs takes the listing first."""
        self.select_for_update().only("pk").get(pk=pk)

    def move(
        self,
        pk: int,
        *,
        source: str,
        target: str,
        actor: User | None = None,
        note: str = "",
        at_revision: int | None = None,
        **changes: Any,
    ) -> bool:
        """The one way to change a status: compare-and-set, with its line in the record.

        True if we moved it; False if somebody else got there first (another status, or another revision than
        `at_revision`). What a suspended seller has is paused in place of published. Raises ValueError for a step that
        `TRANSITIONS` does not know.
        """
        if target == Status.PUBLISHED and (until := self._suspended_until(pk)):
            if source == Status.PAUSED:
                return False
            target, note = Status.PAUSED, f"It would be on sale, but your account is suspended until {until:%-d %B %Y}."
        if Status(target) not in TRANSITIONS[Status(source)]:
            raise ValueError(f"a listing cannot go from {source} to {target}")
        held = self.filter(pk=pk, status=source)
        if at_revision is not None:
            held = held.filter(revision=at_revision)
        now = timezone.now()
        if target == Status.PUBLISHED and source != Status.PAUSED:  # back on sale is not new on sale
            changes.setdefault("published_at", now)
        with transaction.atomic():
            if held.update(status=target, status_note=note, updated_at=now, **changes) != 1:
                return False
            StatusChange.objects.create(
                listing_id=pk,
                source=source,
                target=target,
                actor=actor,
                note=note,
                revision=Listing.objects.values_list("revision", flat=True).get(pk=pk),
            )
            told = partial(status_changed.send_robust, Listing, listing_id=pk, source=source, target=target)
            transaction.on_commit(told)
        return True

    def _suspended_until(self, pk: int) -> datetime | None:
        return User.objects.filter(listings=pk, suspended_until__gt=timezone.now()).values_list(
            "suspended_until", flat=True
        ).first()  # fmt: skip


class Separated(models.Func):
    """A text for full text search: accents taken off, "Wood/Metal" and "8ft" in two, "1/2" and "3.5" left whole.

    recommendations/words.py reads queries in the same way.
    """

    function = "regexp_replace"
    template = (
        "regexp_replace(regexp_replace(normalize(%(expressions)s, NFKD), '[\u0300-\u036f]', '', 'g'), "
        "'[^[:alnum:]./]+|(?<![0-9])[./]|[./](?![0-9])|(?<=[0-9])(?=[[:alpha:]])|(?<=[[:alpha:]])(?=[0-9])', ' ', 'g')"
    )
    output_field = models.TextField()


class Listing(models.Model):
    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    seller = models.ForeignKey(User, on_delete=models.PROTECT, related_name="listings")
    title = models.CharField(max_length=limits.TITLE_CHARS)
    description = models.TextField(max_length=limits.DESCRIPTION_CHARS)
    category = models.CharField(max_length=30)
    attributes = models.JSONField(default=dict, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    currency = models.CharField(max_length=3, choices=[(code, code) for code in limits.CURRENCIES], default="EUR")
    condition = models.CharField(max_length=10, choices=Condition, default=Condition.GOOD)
    status = models.CharField(max_length=15, choices=Status, default=Status.CHECKING)
    status_note = models.TextField(blank=True)  # what the merchant reads about the status
    revision = models.PositiveIntegerField(default=1)  # counts edits of text or photos; verdicts belong to one
    edits = models.PositiveIntegerField(default=1)  # counts every edit: a form that began at another count is stale
    draft_key = models.UUIDField(null=True, blank=True)  # of the form it came from: submit pressed twice is one listing
    fingerprint = models.CharField(max_length=64, blank=True, db_index=True)  # content.fingerprint: finds duplicates
    lot = models.CharField(max_length=64, blank=True)  # trust/lot.py; drawn with the first words, kept through edits
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)
    search = models.GeneratedField(
        expression=SearchVector(Separated("title"), weight="A", config="english")
        + SearchVector(Separated("description"), weight="B", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ListingQuerySet.as_manager()
    # Of an instance that stands for an earlier revision (content.as_it_was): its words.
    earlier_words: list[tuple[str, str]] | None = None

    class Meta:
        indexes = [
            GinIndex(fields=["search"], name="listing_search"),
            models.Index(fields=["status", "-published_at", "-id"], name="listing_newest"),
            models.Index(fields=["status", "category", "-published_at"], name="listing_category"),
            models.Index(fields=["seller", "-updated_at"], name="listing_seller"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gte=0), name="listing_price_not_negative"),
            models.UniqueConstraint(fields=["seller", "draft_key"], name="one_listing_per_draft"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("item", args=[self.public_id])

    def at(self, revision: int) -> Revision | None:
        """What it said then; None from before that was kept. Reads the prefetched list, as `cover` does."""
        return next((kept for kept in self.revisions.all() if kept.number == revision), None)

    @property
    def cover(self) -> Photo | None:
        """First photo; reads the prefetched list, so grids need one query for all covers."""
        photos = self.photos.all()
        return photos[0] if photos else None


class Photo(models.Model):
    """A re-encoded photo. `listing` is null while it waits for its form to be completed."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="photos")
    listing = models.ForeignKey(Listing, null=True, blank=True, on_delete=models.CASCADE, related_name="photos")
    position = models.PositiveSmallIntegerField(default=0)
    file = models.CharField(max_length=80)  # path under MEDIA_ROOT, random name
    thumb = models.CharField(max_length=80)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)  # of the uploaded bytes
    colour = models.CharField(max_length=7, blank=True)  # "#rrggbb", shown until the photo is there
    renditions = models.JSONField(default=list, blank=True)  # [{width, height, jpeg, webp}], the smallest first
    renditions_due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)  # null: nothing is owed
    # photo_bank.phash; none of a photo with too little in it to tell it from others.
    phash = BitField(length=limits.PHASH_BITS, null=True, blank=True)
    alt = models.CharField(max_length=limits.ALT_CHARS, blank=True)
    listed_at = models.DateTimeField(null=True, blank=True)  # when it first came to a listing; stays if it leaves it
    approved_at = models.DateTimeField(null=True, blank=True)  # by a moderator, in the listing that it is in
    created_at = models.DateTimeField(default=timezone.now)  # or since when it waits for a listing (again)

    class Meta:
        ordering = ["position", "id"]
        indexes = [
            models.Index(fields=["sha256"], name="photo_sha256"),
            models.Index(fields=["file"], name="photo_file"),  # who may see it
            models.Index(fields=["thumb"], name="photo_thumb"),
            models.Index(
                fields=["renditions_due_at"],
                condition=models.Q(renditions_due_at__isnull=False),
                name="photo_renditions_owed",
            ),
            # Every photo is held against others by its hash: all hashes lie in an eighth of the table's size.
            models.Index(
                fields=["phash"], include=["id", "listing"], condition=models.Q(phash__isnull=False), name="photo_phash"
            ),
        ]

    @property
    def url(self) -> str:
        return reverse("media", args=[self.file])

    @property
    def thumb_url(self) -> str:
        return reverse("media", args=[self.thumb])


class Draft(models.Model):
    """A draft that its merchant keeps in the account. Others stay on the device and are never seen here."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="drafts")
    key = models.UUIDField()
    version = models.PositiveIntegerField(default=1)  # two tabs: the one with the older version gets a conflict
    data = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-updated_at"]
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="draft_key_per_owner")]


class Where(models.TextChoices):
    DEVICE = "device", "On the merchant's device"
    GATE = "gate", "At the server's gate"
    CLOUD = "cloud", "By the worker"


class VerdictDecision(models.TextChoices):
    PASS = "pass", "Pass"
    UNSURE = "unsure", "Unsure"
    WARN = "warn", "Warn"
    BLOCK = "block", "Block"


class Verdict(models.Model):
    """What one check said of one revision. Append-only: evidence for people, never changed afterwards."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="verdicts")
    revision = models.PositiveIntegerField()
    photo = models.ForeignKey(  # the one it is about; of words: none
        Photo, null=True, blank=True, on_delete=models.SET_NULL, related_name="verdicts"
    )
    where = models.CharField(max_length=6, choices=Where)
    model = models.CharField(max_length=40)  # or the name of a check, see checks.py
    version = models.CharField(max_length=40, blank=True)
    variant = models.CharField(max_length=20, blank=True)
    policies_version = models.CharField(max_length=20, blank=True)
    scores = models.JSONField(default=dict)
    decision = models.CharField(max_length=6, choices=VerdictDecision)
    policy = models.CharField(max_length=30, blank=True)
    # Words: [{field, start, end, weight}], UTF-16 offsets in the field as typed. Photos: where (models/photo.py).
    evidence = models.JSONField(default=list)
    ms = models.FloatField(null=True)
    provider = models.CharField(max_length=30, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)  # what only this check knows, or why a claim was not believed
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["listing", "revision"], name="verdict_listing"),
            # Rows come in the order of time and are never changed: a few numbers for each megabyte find a period.
            BrinIndex(fields=["created_at"], pages_per_range=32, autosummarize=True, name="verdict_period"),
            models.Index(fields=["model", "where", "-created_at"], name="verdict_model"),  # moderation/quality.py
        ]


class ValidationJob(models.Model):
    """The outbox row: stored with the listing in one transaction, so that a lost broker loses no check."""

    class State(models.TextChoices):
        OWED = "owed"
        DONE = "done"
        DROPPED = "dropped"  # the listing was edited or withdrawn before the verdict

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="validation_jobs")
    revision = models.PositiveIntegerField()
    category = models.CharField(max_length=30, blank=True)  # the listing's at this revision
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True)  # likewise
    # The gate passed it with margin (trust/rules.py); what the checks found then says how often the gate is wrong.
    gate_clear = models.BooleanField(default=False)
    outcome = models.CharField(max_length=15, blank=True)  # the status that its checks came to; once, by the last one
    state = models.CharField(max_length=8, choices=State, default=State.OWED)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)  # stays while it is owed again for photos that came later

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="validation_period"),
            models.Index(
                fields=["category", "-finished_at"],
                condition=models.Q(gate_clear=True),
                name="validation_cell",
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["listing", "revision"], name="one_validation_per_revision")]


class OwedCheck(models.Model):
    """One check of a job, about the words or one photo, with its own attempts and times. The job ends with its last."""

    class State(models.TextChoices):
        OWED = "owed"
        DONE = "done"
        FAILED = "failed"  # again and again: a person looks instead
        DROPPED = "dropped"

    job = models.ForeignKey(ValidationJob, on_delete=models.CASCADE, related_name="checks")
    name = models.CharField(max_length=20)  # checks.py
    photo = models.ForeignKey(Photo, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.OWED)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)  # after this the sweeper sends it (again)
    not_before = models.DateTimeField(null=True, blank=True)  # after a fault: nobody starts it until then
    started_at = models.DateTimeField(null=True, blank=True)  # whoever started it has it until its time limit is over
    finished_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=models.Q(state="owed"), name="check_owed")]
        constraints = [
            models.UniqueConstraint(fields=["job", "name", "photo"], nulls_distinct=False, name="one_check_of_a_kind")
        ]


class Ruling(models.Model):
    """Whether a revision was published before its heavy checks, and why (not). Append-only."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="rulings")
    revision = models.PositiveIntegerField()
    granted = models.BooleanField()
    grounds = models.JSONField(default=list)  # sentences against it; none when granted
    tier = models.PositiveSmallIntegerField()  # of the seller in this category, then
    policies_version = models.CharField(max_length=20, blank=True)
    terms = models.JSONField(default=dict)  # the settings by which it was ruled
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["listing", "revision"], name="ruling_listing")]


class Debt(models.Model):
    """Heavy checks owed by a listing that is on sale already: it may be shown to few people until they are made. What
    was edited, withdrawn or sold before may owe them still."""

    class State(models.TextChoices):
        OPEN = "open", "Owed"
        LEFT = "left", "Owed for the record"  # no longer on sale in these words
        PAID = "paid", "Paid"
        VOID = "void", "Void"  # it left, and was seen by nobody or not drawn

    UNPAID = (State.OPEN, State.LEFT)

    class Cause(models.TextChoices):
        IDLE = "idle", "Workers had time"
        VIEWS = "views", "Enough people had seen it"
        AUDIT = "audit", "Drawn for an audit"
        DOUBT = "doubt", "A check had a doubt"
        AGE = "age", "It was owed for long"
        REPORT = "report", "Somebody reported it"
        LEFT = "left", "It was no longer on sale"

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="debts")
    job = models.OneToOneField(ValidationJob, on_delete=models.CASCADE, related_name="debt")
    state = models.CharField(max_length=4, choices=State, default=State.OPEN)
    risk = models.FloatField()  # the gate's highest unsafe score
    tier = models.PositiveSmallIntegerField(default=0)  # of the seller when it began
    audit = models.BooleanField(default=False)
    place = models.FloatField(default=0.0)  # in the lot, 0 to 1
    impressions = models.PositiveIntegerField(default=0)  # of the listing, since its first debt that was not paid
    light_at = models.DateTimeField(null=True, blank=True)  # when the light checks were all made
    called_at = models.DateTimeField(null=True, blank=True)  # when the heavy ones became due
    cause = models.CharField(max_length=6, choices=Cause, blank=True)  # why they became due
    opened_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)  # when it was no longer on sale in these words
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["opened_at"], condition=models.Q(state="open"), name="debt_open"),
            models.Index(fields=["left_at"], condition=models.Q(state="left"), name="debt_left"),
            models.Index(fields=["opened_at"], name="debt_period"),
            models.Index(
                fields=["closed_at"],
                condition=models.Q(audit=True) | models.Q(left_at__isnull=False),
                name="debt_audited",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["listing"], condition=models.Q(state="open"), name="one_open_debt_per_listing"
            )
        ]


class Cell(models.Model):
    """How often the gate passed with margin what turned out to break a policy, in a category (trust/cells.py)."""

    category = models.CharField(max_length=30)
    policy = models.CharField(max_length=30)
    seen = models.PositiveIntegerField()
    missed = models.PositiveIntegerField()
    upper = models.FloatField()  # of the share missed, one-sided 95 %
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["category", "policy"]
        constraints = [models.UniqueConstraint(fields=["category", "policy"], name="one_cell")]


class SettingChange(models.Model):
    """An operator's change of a setting (trust/settings.py). Append-only: the last one counts, all are the record."""

    name = models.CharField(max_length=40)
    value = models.FloatField()
    before = models.FloatField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["name", "-id"], name="setting_last")]


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self) -> DecisionQuerySet:
        """Without those that an appeal took back or replaced: they say nothing against a seller, nor for a model."""
        return self.exclude(answers__action__in=["overturn", "modify"])

    def violations(self) -> DecisionQuerySet:
        """Rejections that stand; one that an appeal put under another policy counts under that one."""
        replaced = models.Q(action="modify", about__action="reject")
        return self.standing().filter(models.Q(action="reject") | replaced)


class Revision(models.Model):
    """What a listing said at one of its revisions: what was decided about, and what an edit changed. Append-only."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=limits.TITLE_CHARS)
    description = models.TextField(max_length=limits.DESCRIPTION_CHARS)
    category = models.CharField(max_length=30)
    attributes = models.JSONField(default=dict, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    currency = models.CharField(max_length=3)
    condition = models.CharField(max_length=10, choices=Condition)
    photos = models.JSONField(default=list, blank=True)  # [{id, file, sha256, alt}] in their order
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["listing", "number"], name="one_of_each_revision")]


class ReviewJob(models.Model):
    """A question to a moderator: what waits in the queue."""

    class State(models.TextChoices):
        OPEN = "open"
        DECIDED = "decided"
        WITHDRAWN = "withdrawn"  # edited or ended before the decision, or another decision answered it

    class Kind(models.TextChoices):
        CHECK = "check", "A check had a doubt"
        REPORT = "report", "Somebody reported it"
        APPEAL = "appeal", "The merchant asks for another look"
        SAMPLE = "sample", "Drawn from what had passed"  # judged in the revision that was drawn
        SELLER = "seller", "The merchant asks for another look at a suspension"
        LEFT = "left", "Was on sale before its checks, and is not any more"  # decided for the record; moves nothing
        SECOND = "second", "Decided already, looked at again unseen"
        GOLDEN = "golden", "The answer is known"

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="review_jobs")
    revision = models.PositiveIntegerField()
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.CHECK)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    status_before = models.CharField(max_length=15, choices=Status, default=Status.CHECKING)  # the listing's
    cause = models.TextField()  # why a person is asked, in plain words
    policy = models.CharField(max_length=30, blank=True)  # the suspected one
    about = models.ForeignKey(  # of an appeal, a second look or a known answer: the decision in question
        "Decision", null=True, blank=True, on_delete=models.CASCADE, related_name="looks"
    )
    risk = models.FloatField(default=0.0)  # 0..1, moderation/queue.py
    rank_at = models.DateTimeField(default=timezone.now)  # the most urgent first: risk counts as time waited
    escalated = models.BooleanField(default=False)
    claimed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    claimed_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    @property
    def policy_name(self) -> str:
        return policies.name(self.policy)

    @property
    def is_blind(self) -> bool:
        """Its answer measures people and changes nothing; who gives it is not to know."""
        return self.kind in (self.Kind.SECOND, self.Kind.GOLDEN)

    @property
    def approval_leads_to(self) -> Status:
        """Its merchant paused it, and nobody else puts it on sale again."""
        return Status.PAUSED if self.status_before == Status.PAUSED else Status.PUBLISHED

    class Meta:
        indexes = [
            models.Index(fields=["created_at", "id"], condition=models.Q(state="open"), name="review_oldest"),
            models.Index(fields=["rank_at", "id"], condition=models.Q(state="open"), name="review_urgent"),
            models.Index(fields=["kind", "rank_at", "id"], condition=models.Q(state="open"), name="review_kind"),
            models.Index(fields=["policy", "rank_at", "id"], condition=models.Q(state="open"), name="review_policy"),
            models.Index(fields=["decided_at"], name="review_decided"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["listing", "kind"],
                condition=models.Q(state="open", kind__in=["check", "report"]),
                name="one_open_review_of_a_kind",
            ),
            models.UniqueConstraint(
                fields=["listing", "revision"], condition=models.Q(kind="sample"), name="one_sample_of_a_revision"
            ),
            models.UniqueConstraint(
                fields=["listing", "revision"], condition=models.Q(kind="left"), name="one_review_of_what_left"
            ),
            models.UniqueConstraint(
                fields=["about", "kind"],
                condition=models.Q(kind__in=["appeal", "second", "seller"]),
                name="one_appeal_and_one_second_look",
            ),
        ]


class Decision(models.Model):
    """What a moderator decided and why. Append-only."""

    class Action(models.TextChoices):
        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"
        CHANGES = "changes", "Changes asked for"
        UPHOLD = "uphold", "Upheld"
        OVERTURN = "overturn", "Overturned"
        MODIFY = "modify", "Modified"

    review_job = models.OneToOneField(ReviewJob, on_delete=models.PROTECT, related_name="decision")
    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="decisions")
    revision = models.PositiveIntegerField(null=True)  # null: before it was kept; then the job's
    moderator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="decisions")
    action = models.CharField(max_length=8, choices=Action)
    policy = models.CharField(max_length=30, blank=True)
    reason = models.TextField(blank=True)
    about = models.ForeignKey(  # the decision that an appeal was against
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="answers"
    )
    past = models.BooleanField(default=False)  # about what had left the market, or was edited: it moved nothing
    # As they were then: what is changed later changes nothing about what was said.
    appeal_until = models.DateTimeField(null=True, blank=True)
    policies_version = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["moderator", "-created_at"], name="decision_moderator")]

    @property
    def is_restriction(self) -> bool:
        """It keeps a listing off the market: there is a statement of reasons, and an appeal."""
        return self.action in (self.Action.REJECT, self.Action.CHANGES, self.Action.MODIFY)

    @property
    def is_past(self) -> bool:
        """`past`; before that was kept, by the job."""
        return self.past or self.review_job.kind == ReviewJob.Kind.LEFT


class FollowUp(models.Model):
    """Outbox: a rejection that other listings have not felt yet (moderation/follow_ups.py). Gone when they have."""

    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, related_name="follow_up")
    due_at = models.DateTimeField(db_index=True)


class PendingDecision(models.Model):
    """A decision that its moderator may still take back; nobody else sees anything of it (moderation/decisions.py)."""

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        UNDONE = "undone"  # by its moderator
        FAILED = "failed"  # the listing changed meanwhile, or somebody was faster

    job = models.ForeignKey(ReviewJob, on_delete=models.CASCADE, related_name="pending")
    moderator = models.ForeignKey(User, on_delete=models.CASCADE, related_name="pending_decisions")
    revision = models.PositiveIntegerField()
    action = models.CharField(max_length=8, choices=Decision.Action)
    policy = models.CharField(max_length=30, blank=True)
    reason = models.TextField(blank=True)
    photos = models.JSONField(default=list, blank=True)  # keys of those that go into the bank
    reports_seen = models.BigIntegerField(default=0)  # the last report that the moderator had before them
    batch = models.UUIDField(null=True, blank=True)  # of those decided together
    state = models.CharField(max_length=7, choices=State, default=State.PENDING)
    failure = models.TextField(blank=True)  # what the moderator is told
    told = models.BooleanField(default=False)  # and whether they were
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    @property
    def seconds_left(self) -> float:
        """Until it is in force; the clock of a browser may be wrong, so pages are told this."""
        return max(0.0, (self.due_at - timezone.now()).total_seconds())

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="pending_due")]
        constraints = [
            models.UniqueConstraint(fields=["job"], condition=models.Q(state="pending"), name="one_pending_decision")
        ]


class JobEvent(models.Model):
    """What happened to a job beside its decision: who took it, let it go, passed it on. Append-only."""

    class Kind(models.TextChoices):
        TAKEN = "taken", "Taken"
        LOST = "lost", "Lost: the time was over and somebody else took it"
        RELEASED = "released", "Put back"
        SKIPPED = "skipped", "Skipped"
        ESCALATED = "escalated", "Passed on"
        PROPOSED = "proposed", "Decided, not yet in force"
        UNDONE = "undone", "Taken back"
        FAILED = "failed", "Could not be made"

    job = models.ForeignKey(ReviewJob, on_delete=models.CASCADE, related_name="events")
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=9, choices=Kind)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["job", "actor", "kind"], name="job_event")]


class SecondLook(models.Model):
    """What a moderator said of a case that was decided before, without knowing how. Changes nothing; append-only."""

    review_job = models.OneToOneField(ReviewJob, on_delete=models.CASCADE, related_name="second_look")
    about = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="second_looks")
    moderator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=8, choices=Decision.Action)
    policy = models.CharField(max_length=30, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]


class Appeal(models.Model):
    """A merchant asks for another look at a decision, once. Its review job says what came of it."""

    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, related_name="appeal")
    text = models.TextField(max_length=limits.APPEAL_CHARS)
    created_at = models.DateTimeField(default=timezone.now)

    @property
    def job(self) -> ReviewJob:
        return self.decision.looks.get(kind=ReviewJob.Kind.APPEAL)


class Report(models.Model):
    """Somebody says that a listing breaks a rule. It leads to a look, never to a penalty."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="reports")
    revision = models.PositiveIntegerField()
    job = models.ForeignKey(ReviewJob, null=True, on_delete=models.SET_NULL, related_name="reports")
    reporter = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="reports")
    sender = models.CharField(max_length=64)  # keyed digest of the account or of the address and the day
    policy = models.CharField(max_length=30, blank=True)  # "": something else
    text = models.TextField(blank=True, max_length=limits.REPORT_CHARS)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["sender", "-created_at"], name="report_sender")]
        constraints = [
            models.UniqueConstraint(fields=["listing", "revision", "sender"], name="one_report_of_a_revision")
        ]


class Strike(models.Model):
    """A confirmed violation that counts against a seller until it expires (moderation/strikes.py)."""

    seller = models.ForeignKey(User, on_delete=models.CASCADE, related_name="strikes")
    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, related_name="strike")
    policy = models.CharField(max_length=30)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)  # the decision was overturned
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["seller", "expires_at"], name="strike_seller")]


class Suspension(models.Model):
    """A seller kept off the market for a time: by which strikes, and what came of the one appeal against it."""

    class Answer(models.TextChoices):
        UPHOLD = "uphold", "Upheld"
        OVERTURN = "overturn", "Overturned"

    seller = models.ForeignKey(User, on_delete=models.CASCADE, related_name="suspensions")
    decision = models.OneToOneField(  # whose strike was one too many
        Decision, on_delete=models.CASCADE, related_name="suspension"
    )
    strikes = models.ManyToManyField(Strike, related_name="suspensions")  # that counted then
    until = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)  # before its time was over
    # As they were then, as of a decision.
    appeal_until = models.DateTimeField()
    policies_version = models.CharField(max_length=20)
    appeal_text = models.TextField(blank=True, max_length=limits.APPEAL_CHARS)
    appealed_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=8, choices=Answer, blank=True)
    answer_reason = models.TextField(blank=True)
    answered_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]


class Notice(models.Model):
    """A message of the site to one person; also sent by e-mail where there is an address."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    title = models.CharField(max_length=200)
    text = models.TextField()
    url = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    mail_due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)  # null: sent, or nowhere to send to
    mail_attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["person", "-created_at", "-id"], name="notice_person"),
            models.Index(fields=["person"], condition=models.Q(read_at=None), name="notice_unread"),
            models.Index(fields=["mail_due_at"], condition=models.Q(mail_due_at__isnull=False), name="notice_mail"),
        ]


class RemovedPhoto(models.Model):
    """A photo that a moderator removed with its listing: the bank that later photos are held against."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="removed_photos")
    policy = models.CharField(max_length=30)
    sha256 = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["decision", "sha256"], name="removed_once_by_a_decision")]


class RemovedPhotoHash(models.Model):
    """What a removed photo looks like turned, mirrored and cropped a little: each a perceptual hash."""

    removed = models.ForeignKey(RemovedPhoto, on_delete=models.CASCADE, related_name="hashes")
    phash = BitField(length=limits.PHASH_BITS)


class StatusChange(models.Model):
    """Every status change, written by `ListingQuerySet.move` and by the submission itself. Append-only."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="status_changes")
    source = models.CharField(max_length=15, blank=True)  # empty: the listing was created
    target = models.CharField(max_length=15, choices=Status)
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    note = models.TextField(blank=True)
    revision = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]


class OrderQuerySet(models.QuerySet["Order"]):
    def involving(self, user: User) -> OrderQuerySet:
        return self.filter(models.Q(buyer=user) | models.Q(listing__seller=user))


class Order(models.Model):
    """A promise to buy. Payment happens between the two people; the site takes no money."""

    class State(models.TextChoices):
        PLACED = "placed", "Placed"
        SETTLED = "settled", "Handed over"
        CANCELLED = "cancelled", "Cancelled"

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="orders")
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="orders")
    price = models.DecimalField(max_digits=10, decimal_places=2)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=9, choices=State, default=State.PLACED)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["listing"], condition=~models.Q(status="cancelled"), name="one_live_order_per_listing"
            )
        ]


class Release(models.Model):
    """What counts in the place of the published models: files of a set, a patch of the device's text model, other
    thresholds for it (releases.py). Its content is never changed; what happens to it stands in `changes`."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SHADOW = "shadow", "In its shadow"
        LIVE = "live", "Live"
        RETIRED = "retired", "Retired"

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=7, choices=State, default=State.DRAFT)
    files = models.JSONField(default=dict)  # model → what a set says of it, as of models/sets.py
    model_version = models.CharField(max_length=40)
    model_sha256 = models.CharField(max_length=64)  # of the file of listing-text that it works with
    manifest_sha256 = models.CharField(max_length=64)  # that names this file
    patch = models.BinaryField(default=bytes)  # as it is sent; empty: none
    patch_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    points = models.JSONField(default=dict)  # operating points in the place of the manifest's
    figures = models.JSONField(default=dict)  # of the fit, or of the set beside what counted
    examples = models.ManyToManyField(Decision, related_name="releases")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now)
    shadow_at = models.DateTimeField(null=True, blank=True)
    compared_at = models.DateTimeField(null=True, blank=True)  # when the stored listings were all compared
    compared_with = models.PositiveIntegerField(default=0)  # the number that was live when it was begun, 0 for none
    compared_state = models.CharField(max_length=64, blank=True)  # what counted then, see sets.state()
    compare_due_at = models.DateTimeField(null=True, blank=True)  # when the sweeper asks again for the comparison
    compare_problem = models.CharField(max_length=300, blank=True)  # why it cannot be made now
    live_at = models.DateTimeField(null=True, blank=True)  # the first time
    retired_at = models.DateTimeField(null=True, blank=True)
    base = models.JSONField(default=dict)  # what counted when it was drafted: {"digests", "patch_sha256", "points"}
    replaced = models.PositiveIntegerField(default=0)  # the number that was live when it was published, 0 for none

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=models.Q(state="live"), name="one_live_release"),
            models.UniqueConstraint(fields=["state"], condition=models.Q(state="shadow"), name="one_shadow_release"),
        ]

    def __str__(self) -> str:
        return f"p{self.number}"


class ReleaseChange(models.Model):
    """Every step of a release. Append-only."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="changes")
    source = models.CharField(max_length=7, blank=True)  # empty: it was made
    target = models.CharField(max_length=7, choices=Release.State)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]


class ShadowLook(models.Model):
    """How one revision was decided, and how it would have been with the release in its shadow."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="looks")
    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="+")
    revision = models.PositiveIntegerField()
    submitted = models.BooleanField()  # while the shadow ran; else it was stored already
    against = models.PositiveIntegerField(default=0)  # the number of the release that `decided`, 0 for none
    # Both empty: it could not be looked at.
    decided = models.CharField(max_length=6, choices=VerdictDecision, blank=True)
    would_be = models.CharField(max_length=6, choices=VerdictDecision, blank=True)
    policy = models.CharField(max_length=30, blank=True)  # of the second
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "listing", "revision", "against"], name="one_shadow_look_a_revision"
            )
        ]
