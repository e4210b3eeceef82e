"""Annotated number types: the unit of a figure, written once, in the signature or field.

`Any` inside, since one formula serves floats, arrays, symbols, tracers and quantities. The unit
feeds the documentation, the checks of the records, the pint mirror and the dimension tests.
"""

from typing import Annotated, Any

from nvscale.units import Unit

Ratio = Annotated[Any, Unit("1", ">=0")]
Share = Annotated[Any, Unit("1", "[0,1]")]
Exponent = Annotated[Any, Unit("1", "any")]
Count = Annotated[Any, Unit("1", ">=1")]

Bits = Annotated[Any, Unit("bit", ">=0")]
Bytes = Annotated[Any, Unit("byte", ">=0")]
BytesPerSecond = Annotated[Any, Unit("byte/s")]
SecondsPerByte = Annotated[Any, Unit("s/byte", ">=0")]
Flop = Annotated[Any, Unit("flop", ">=0")]
FlopPerSecond = Annotated[Any, Unit("flop/s", ">=0")]
FlopPerByte = Annotated[Any, Unit("flop/byte")]
Seconds = Annotated[Any, Unit("s", ">=0")]
PerSecond = Annotated[Any, Unit("1/s", ">=0")]
Hertz = Annotated[Any, Unit("Hz")]

Watts = Annotated[Any, Unit("W", ">=0")]
Joules = Annotated[Any, Unit("J", ">=0")]
JoulesPerFlop = Annotated[Any, Unit("J/flop")]
JoulesPerByte = Annotated[Any, Unit("J/byte")]
JoulesPerToken = Annotated[Any, Unit("J/token")]
FlopPerJoule = Annotated[Any, Unit("flop/J")]
Volts = Annotated[Any, Unit("V")]
WattsPerVolt = Annotated[Any, Unit("W/V", ">=0")]
Farads = Annotated[Any, Unit("F")]
Kelvins = Annotated[Any, Unit("K")]
JoulesPerKelvin = Annotated[Any, Unit("J/K")]

USD = Annotated[Any, Unit("USD", ">=0")]
USDPerSecond = Annotated[Any, Unit("USD/s", ">=0")]
USDPerJoule = Annotated[Any, Unit("USD/J", ">=0")]
USDPerFlop = Annotated[Any, Unit("USD/flop", ">=0")]
USDPerToken = Annotated[Any, Unit("USD/token", ">=0")]
USDPerWatt = Annotated[Any, Unit("USD/W", ">=0")]
PerYear = Annotated[Any, Unit("1/year", "any")]

Tokens = Annotated[Any, Unit("token", ">=0")]
TokensPerSecond = Annotated[Any, Unit("token/s", ">=0")]

Metres = Annotated[Any, Unit("m")]
SquareMetres = Annotated[Any, Unit("m^2")]

Grams = Annotated[Any, Unit("g", ">=0")]
GramsPerJoule = Annotated[Any, Unit("g/J", ">=0")]
