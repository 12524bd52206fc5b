"""The networks of a student project on differential promoters, as published and as revised."""
