// Prints WireListing(); tests/proto/record_wire keeps it.
#include <iostream>

#include "tests/proto/wire.h"

int main() {
  for (const std::string& line : aisivi::WireListing()) std::cout << line << "\n";
  return 0;
}
