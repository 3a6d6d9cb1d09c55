"""Eight Gaussians on a circle: the grid's recipe at another scale."""

from mulligan.data import Ring
from mulligan.recipes.grid import RECIPE as GRID
from mulligan.views import Points

RECIPE = GRID.with_(name="ring", data=Ring(), view=Points(scale=0.71))
