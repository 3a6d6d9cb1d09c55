"""The families of networks. The closed unions are the registry: what the command line, the JSON and the contract tests know."""

from mulligan.networks.constraints import Constraint, SpectralNorm, WeightClipping
from mulligan.networks.dcgan import DcganDiscriminator, DcganGenerator
from mulligan.networks.layers import Init, NormalWeights, PaddleFluid, TorchDefault, XavierUniform
from mulligan.networks.mlp import MlpDiscriminator, MlpGenerator, SwitchGenerator
from mulligan.networks.tiny import TinyDiscriminator, TinyGenerator
from mulligan.networks.tutorials import (
    FacesDiscriminator,
    FacesGenerator,
    PooledDiscriminator,
    PooledGenerator,
    StridedDiscriminator,
    StridedGenerator,
)

Generator = MlpGenerator | SwitchGenerator | DcganGenerator | StridedGenerator | PooledGenerator | FacesGenerator | TinyGenerator
Discriminator = (
    MlpDiscriminator | DcganDiscriminator | StridedDiscriminator | PooledDiscriminator | FacesDiscriminator | TinyDiscriminator
)

__all__ = [
    "Constraint",
    "DcganDiscriminator",
    "DcganGenerator",
    "Discriminator",
    "FacesDiscriminator",
    "FacesGenerator",
    "Generator",
    "Init",
    "MlpDiscriminator",
    "MlpGenerator",
    "NormalWeights",
    "PaddleFluid",
    "PooledDiscriminator",
    "PooledGenerator",
    "SpectralNorm",
    "StridedDiscriminator",
    "StridedGenerator",
    "SwitchGenerator",
    "TinyDiscriminator",
    "TinyGenerator",
    "TorchDefault",
    "WeightClipping",
    "XavierUniform",
]
