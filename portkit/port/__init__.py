"""FreeBSD ports written from templates, series and manifest."""
