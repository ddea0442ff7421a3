"""Routes of the API below /api/v1/."""

from django.urls import path

from ratings.api.rating import NewRatingView, RateView
from ratings.api.v1_compat.relay import RelaySetView

urlpatterns = [
    path("rating/new", NewRatingView.as_view(), name="api-rating-new"),
    # Before the route of an image, or "set" would be one. Both ways to write it, because a redirect loses the body.
    path("rating/set", RelaySetView.as_view(), name="api-rating-set"),
    path("rating/set/", RelaySetView.as_view(schema=None), name="api-rating-set"),
    path("rating/<str:image_id>", RateView.as_view(), name="api-rate"),
]
