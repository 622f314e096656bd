"""Models as data: parts, restricted expressions, checks of units and names, the YAML loader."""

from tissuesim.model.expression import Expression as Expression
from tissuesim.model.expression import parse as parse
from tissuesim.model.loader import shipped_models as shipped_models
from tissuesim.model.model import Cells as Cells
from tissuesim.model.model import Definition as Definition
from tissuesim.model.model import Map as Map
from tissuesim.model.model import Model as Model
from tissuesim.model.model import Parameter as Parameter
from tissuesim.model.model import Pool as Pool
from tissuesim.model.model import Process as Process
from tissuesim.model.model import Signal as Signal
from tissuesim.model.model import Summary as Summary
from tissuesim.model.model import TissueState as TissueState
