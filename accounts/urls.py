"""The language of pages, and a person's API keys.

Signing in and out is allauth's; the profile joins what other apps know: ratings/urls.py.
"""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("language/", views.choose_language, name="choose_language"),
    path("profile/keys/", views.create_key, name="create_api_key"),
    path("profile/keys/<int:key_id>/revoke/", views.revoke_key, name="revoke_api_key"),
]
