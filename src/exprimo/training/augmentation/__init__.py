"""Generated examples of the positive class, added to the training part alone."""

from exprimo.training.augmentation.augment import Augmentation, Classes, augment, check_sample

__all__ = ["Augmentation", "Classes", "augment", "check_sample"]
