"""Everything that can be done to an annotation, one class an action; :mod:`src_model.document` has them all."""
