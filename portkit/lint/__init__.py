"""Problems in patches and ports."""
