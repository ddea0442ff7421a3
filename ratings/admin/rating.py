from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ReadOnlyInline, as_id, as_uuid, column, link_to
from accounts.models import User
from ratings.admin.decisions import Decision, DecisionAdmin, find_keys_of_action
from ratings.admin.impact import weigh_restore, weigh_void
from ratings.admin.measured import MEASURED
from ratings.admin.pictures import LARGE, show_picture
from ratings.models import Comparison, ModerationAction, Rating, RatingState, Revision
from ratings.services.voiding import restore_ratings, void_ratings

LIMIT = 10_000
TOO_MANY = _(
    "You selected more than 10,000 ratings, and one decision covers at most 10,000. "
    "Narrow the list to one rater, image or dataset, or take several decisions."
)
DECISIONS = (
    Decision(
        name="void_ratings",
        title=_("Void ratings"),
        verb=_("Void"),
        permission="ratings.change_rating",
        limit=LIMIT,
        too_many=TOO_MANY,
        weigh=weigh_void,
        carry_out=lambda keys, **options: void_ratings(rating_ids=keys, **options),
        inverse="restore_ratings",
    ),
    Decision(
        name="restore_ratings",
        title=_("Restore ratings"),
        verb=_("Restore"),
        permission="ratings.change_rating",
        limit=LIMIT,
        too_many=TOO_MANY,
        weigh=weigh_restore,
        carry_out=lambda keys, **options: restore_ratings(rating_ids=keys, **options),
        inverse="void_ratings",
    ),
)


class RevisionInline(ReadOnlyInline):
    model = Revision
    fields = ("number", "aesthetic", "artifacts", "is_artifacts_unsure", "revised_at")


@admin.register(Rating)
class RatingAdmin(DecisionAdmin):
    """What was said, and the evidence of how. Nobody edits a rating; moderators void and restore.

    What tells people behind one address apart is for superusers: the hash of the address, and the
    idempotency keys that begin with it.
    """

    list_display = (
        "id",
        "picture",
        column("aesthetic", _("aesthetic")),
        column("artifacts", _("artifacts")),
        column("state", _("state")),
        "rater_link",
        "dataset",
        column("proof", _("proof")),
        column("is_late", _("late"), boolean=True),
        "kudos",
        "client",
        "created_at",
    )
    list_filter = ("state", "proof", "is_late")
    list_select_related = ("image", "rater__identity__user", "dataset")
    search_fields = ("id",)
    search_help_text = _("The number of a rating, or the UUID of an image.")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "large_picture",
                    "image",
                    "rater_link",
                    "dataset",
                    "aesthetic",
                    "artifacts",
                    "is_artifacts_unsure",
                    "created_at",
                    "revision_count",
                    "looked_at",
                )
            },
        ),
        (_("What became of it"), {"fields": ("state", "moderation_action", "reward", "settlement", "void_debit")}),
        (
            _("How it came"),
            {
                "fields": (
                    "proof",
                    "issued_at",
                    "is_late",
                    "is_shared",
                    "client_agent",
                    "country",
                    "scale_version",
                    "lease_id",
                    "idempotency_key",
                    "address_hash",
                )
            },
        ),
        MEASURED,
        (
            _("The rater at that moment"),
            {
                "fields": (
                    "rater_rating_count",
                    "rater_is_trusted",
                    "rater_is_trusted_elsewhere",
                    "rater_challenges_failed",
                    "rater_images_generated",
                    "rater_kudos",
                    "rater_account_age",
                )
            },
        ),
    )
    readonly_fields = ("large_picture", "rater_link")
    superuser_fields = ("settlement", "lease_id", "idempotency_key", "address_hash", "session_id")
    inlines = (RevisionInline,)
    lookups = ("image__id__exact", "rater__id__exact", "dataset__id__exact", "moderation_action__id__exact")
    decisions: ClassVar[Sequence[Decision]] = DECISIONS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rating]:
        # Prompts are long, and no list shows them.
        return super().get_queryset(request).defer("image__prompt", "image__generation")

    def find(self, term: str, request: HttpRequest) -> Q | None:
        del request
        if image_id := as_uuid(term):
            return Q(image_id=image_id)
        return None if (number := as_id(term)) is None else Q(pk=number)

    def find_keys(self, request: HttpRequest, decision: Decision) -> Sequence[Any]:
        """A link may also name an action, and so the ratings that are as it left them."""
        of_action = find_keys_of_action(request, decision, Rating)
        return super().find_keys(request, decision) if of_action is None else of_action

    def undo_query(self, action: ModerationAction, keys: Sequence[Any]) -> str:
        del keys
        return f"action={action.pk}"

    @admin.display(description=_("image"))
    def picture(self, rating: Rating) -> SafeString:
        return link_to(rating.image, show_picture(rating.image))

    @admin.display(description=_("picture"))
    def large_picture(self, rating: Rating) -> SafeString | str:
        return show_picture(rating.image, LARGE)

    @admin.display(description=_("rater"))
    def rater_link(self, rating: Rating) -> SafeString:
        return link_to(rating.rater, name_of(rating.rater.identity.user, rating.rater_id))

    @admin.display(description=_("kudos"))
    def kudos(self, rating: Rating) -> str:
        return kudos_of(rating)

    @admin.display(description=_("client"))
    def client(self, rating: Rating) -> str:
        return rating.client_agent.split(":")[0][:30]


def kudos_of(answer: Rating | Comparison) -> str:
    """Return what became of the reward of a rating or comparison."""
    if answer.void_debit is not None:
        return _("%(n)d taken back") % {"n": answer.void_debit}
    if not answer.reward or answer.state == RatingState.VOIDED:
        return "0"
    return (_("%(n)d paid") if answer.settlement_id else _("%(n)d promised")) % {"n": answer.reward}


def name_of(user: User | None, rater_id: int) -> str:
    return user.username if user else _("rater %(id)d") % {"id": rater_id}
