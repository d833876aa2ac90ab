"""Reports about series for people: a matrix in the terminal and as a page, and a CI's post."""
