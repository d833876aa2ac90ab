"""portkit.toml and portkit.lock: what is tracked, carried and produced."""
