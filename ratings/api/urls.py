"""Routes of the API below /api/v1/."""

from django.urls import path

from ratings.api import answers, comparison
from ratings.api.datasets import DatasetsView
from ratings.api.rating import NewRatingView, RateView
from ratings.api.v1_compat import moderation
from ratings.api.v1_compat.new_rating import NewRatingOfDatasetView, NewRatingOfModelView
from ratings.api.v1_compat.relay import RelaySetView
from ratings.api.v1_compat.teams import TeamsView

urlpatterns = [
    path("rating/new", NewRatingView.as_view(), name="api-rating-new"),
    path("rating/new/<str:dataset_id>", NewRatingOfDatasetView.as_view(), name="api-rating-new-dataset"),
    # A model may have slashes in its name, as those of Hugging Face have, and old clients send them as they are.
    path("rating/new/<str:dataset_id>/<path:model_name>", NewRatingOfModelView.as_view(), name="api-rating-new-model"),
    # Before the route of an image, or "set" would be one, and "lease". Both ways to write the first, because a redirect
    # loses the body.
    path("rating/set", RelaySetView.as_view(), name="api-rating-set"),
    path("rating/set/", RelaySetView.as_view(schema=None), name="api-rating-set-slash"),
    path("rating/lease", answers.LeasesView.as_view(), name="api-rating-lease"),
    path("rating/<str:image_id>", RateView.as_view(), name="api-rate"),
    path("rating/<str:image_id>/skip", answers.SkipView.as_view(), name="api-rating-skip"),
    path("rating/<str:image_id>/report", answers.ReportView.as_view(), name="api-rating-report"),
    path("comparison/new", comparison.NewComparisonView.as_view(), name="api-comparison-new"),
    path(
        "comparison/new/<str:dataset_id>",
        comparison.NewComparisonOfDatasetView.as_view(),
        name="api-comparison-new-dataset",
    ),
    # Before the route of a set, or "lease" would be one.
    path("comparison/lease", comparison.SetLeasesView.as_view(), name="api-comparison-lease"),
    path("comparison/<str:set_id>", comparison.CompareView.as_view(), name="api-compare"),
    path("comparison/<str:set_id>/report", comparison.ReportFromSetView.as_view(), name="api-comparison-report"),
    path("comparison/<str:set_id>/skip", comparison.SkipSetView.as_view(), name="api-comparison-skip"),
    path("user/check/<str:user_id>", moderation.CheckUserView.as_view(), name="api-check-user"),
    path("user/validate/<str:user_id>", moderation.ValidateUserView.as_view(), name="api-validate-user"),
    path("user/ratings", moderation.AllRatingsView.as_view(), name="api-user-ratings"),
    path("user/ratings/", moderation.AllRatingsSlashView.as_view(), name="api-user-ratings-slash"),
    path("user/flag/<str:user_id>", moderation.FlagUserView.as_view(), name="api-flag-user"),
    path("user/modify/<str:user_id>", moderation.ModifyUserView.as_view(), name="api-modify-user"),
    path("image/ratings/<str:image_id>", moderation.ImageRatingsView.as_view(), name="api-image-ratings"),
    path("datasets", DatasetsView.as_view(), name="api-datasets"),
    path("teams", TeamsView.as_view(), name="api-teams"),
]
