"""Routes of the API below /api/v1/."""

from django.urls import path

from ratings.api.rating import NewRatingView, RateView

urlpatterns = [
    path("rating/new", NewRatingView.as_view(), name="api-rating-new"),
    path("rating/<str:image_id>", RateView.as_view(), name="api-rate"),
]
