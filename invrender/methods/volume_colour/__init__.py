"""A volume of density and colour, or a transfer function, from colour views."""
