"""What the network of a study looks at, by several methods: tables, figures, section."""
