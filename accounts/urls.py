"""Pages of a person's own account; signing in and out is allauth's."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("profile/keys/", views.create_key, name="create_api_key"),
    path("profile/keys/<int:key_id>/revoke/", views.revoke_key, name="revoke_api_key"),
]
