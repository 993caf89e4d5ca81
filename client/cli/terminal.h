// How to write for people: whether there is a terminal, its width, colours, numbers and tables.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace aisivi::cli {

// Whether standard output is a terminal.
bool IsTerminal();

// Columns of the terminal; 80 when there is none.
int TerminalWidth();

enum class Style { kBold, kDim, kRed, kGreen, kYellow };

// The text in that style; as it is when standard output is no terminal, or NO_COLOR or TERM=dumb
// say so.
std::string Styled(Style style, absl::string_view text);

// `text` with nothing in it that a terminal may take for a command: control characters (U+0000 …
// U+001F, U+007F … U+009F) become \xNN, line breaks and tabs become spaces.
std::string Printable(absl::string_view text);

// Columns a text takes: code points of UTF-8 that are not combining marks or escape sequences.
int DisplayWidth(absl::string_view text);

// `digits` significant digits, at least the units: 12345.678 → "12346", 0.00123456 → "0.001235";
// very large and small numbers like "1.235e-08". NaN is "-".
std::string FormatNumber(double value, int digits = 4);

// Decimals that show `error` with two significant digits, between 0 and 6.
int DecimalsFor(double error);

// Fixed decimals; NaN is "-".
std::string FormatFixed(double value, int decimals);

// "850 ms", "12.3 s", "4 min 05 s", "2 h 10 min".
std::string FormatSeconds(double seconds);

// An aligned table.
class Table {
 public:
  // Names that begin with '<' make the column left-aligned; the '<' is not printed.
  explicit Table(std::vector<std::string> header);
  void AddRow(std::vector<std::string> cells);
  // Lines ended by '\n', the header in bold.
  std::string ToString() const;

 private:
  std::vector<std::string> header_;
  std::vector<bool> left_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace aisivi::cli
