"""Pages of ratings."""

from django.urls import path

from ratings.views import (
    appeal,
    claiming,
    compare,
    datasets,
    home,
    images,
    installed,
    linking,
    moderation,
    page_settings,
    practice,
    profile,
    rate,
    rating_session,
    rules,
)

app_name = "ratings"
urlpatterns = [
    path("", home.home, name="home"),
    path("rate/", rate.rate, name="rate"),
    path("rate/session/", rating_session.rating_session, name="rating_session"),
    path("rate/practice/", practice.practice, name="practice"),
    path("rate/practice/<uuid:image_id>.webp", practice.practice_picture, name="practice_picture"),
    path("rate/settings/", page_settings.page_settings, name="page_settings"),
    path("rate/<slug:slug>/", rate.rate, name="rate_dataset"),
    path("compare/", compare.compare, name="compare"),
    path("compare/<slug:slug>/", compare.compare, name="compare_dataset"),
    path("rules/", rules.rules, name="rules"),
    path("manifest.webmanifest", installed.manifest, name="manifest"),
    path("service-worker.js", installed.service_worker, name="service_worker"),
    path("offline/", installed.offline, name="offline"),
    path("datasets/", datasets.datasets, name="datasets"),
    path("datasets/<slug:slug>/", datasets.dataset, name="dataset"),
    path("moderation/ratings/", moderation.moderate_ratings, name="moderate_ratings"),
    path("moderation/users/<str:number>/", moderation.moderate_user, name="moderate_user"),
    path("moderation/images/<uuid:image_id>/", moderation.moderate_image, name="moderate_image"),
    path("profile/", profile.profile, name="profile"),
    path("profile/appeal/", appeal.appeal, name="appeal"),
    path("profile/claim/", claiming.claim, name="claim"),
    path("profile/horde/", linking.link_horde, name="link_horde"),
    path("profile/horde/<int:identity_id>/unlink/", linking.unlink_horde, name="unlink_horde"),
    path("images/<uuid:image_id>.webp", images.image_file, name="image"),
    path("images/<uuid:image_id>-<int:size>.webp", images.image_file, name="image_sized"),
]
