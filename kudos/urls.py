"""Pages of the ledger."""

from django.urls import path

from kudos import views

app_name = "kudos"
urlpatterns = [path("kudos/", views.history, name="history")]
