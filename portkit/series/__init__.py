"""A patch series on disk: quilt order, git format-patch files."""
