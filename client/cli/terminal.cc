#include "client/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace aisivi::cli {
namespace {

bool UseColor() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return IsTerminal() && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || absl::string_view(term) != "dumb");
}

bool IsCombining(unsigned char lead, unsigned char next) {
  // U+0300 … U+036F.
  return lead == 0xCC || (lead == 0xCD && next < 0xB0);
}

std::string Pad(const std::string& text, int width, bool left) {
  const std::string space(std::max(0, width - DisplayWidth(text)), ' ');
  return left ? text + space : space + text;
}

}  // namespace

bool IsTerminal() { return isatty(STDOUT_FILENO) == 1; }

int TerminalWidth() {
  winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string Styled(Style style, absl::string_view text) {
  static const bool use_color = UseColor();
  if (!use_color || text.empty()) return std::string(text);
  const char* code = "0";
  switch (style) {
    case Style::kBold:
      code = "1";
      break;
    case Style::kDim:
      code = "2";
      break;
    case Style::kRed:
      code = "31";
      break;
    case Style::kGreen:
      code = "32";
      break;
    case Style::kYellow:
      code = "33";
      break;
  }
  return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

std::string Printable(absl::string_view text) {
  std::string printable;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    if (byte == '\n' || byte == '\r' || byte == '\t') {
      printable += ' ';
    } else if (byte < 0x20 || byte == 0x7F || c1) {
      absl::StrAppendFormat(&printable, "\\x%02x", c1 ? next : byte);
      i += c1 ? 1 : 0;
    } else {
      printable += text[i];
    }
  }
  return printable;
}

int DisplayWidth(absl::string_view text) {
  int width = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0x1b) {
      while (i < text.size() && text[i] != 'm') ++i;
      continue;
    }
    const bool continuation = (byte & 0xC0) == 0x80;
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (!continuation && !IsCombining(byte, next)) ++width;
  }
  return width;
}

std::string FormatNumber(double value, int digits) {
  if (std::isnan(value)) return "-";
  if (!std::isfinite(value)) return value > 0 ? "inf" : "-inf";
  const double size = std::abs(value);
  if (size == 0) return "0";
  const int exponent = static_cast<int>(std::floor(std::log10(size)));
  if (exponent >= 9 || exponent < -4) return absl::StrFormat("%.*e", digits - 1, value);
  return FormatFixed(value, std::max(0, digits - 1 - exponent));
}

int DecimalsFor(double error) {
  if (!std::isfinite(error) || error <= 0) return 3;
  return std::clamp(1 - static_cast<int>(std::floor(std::log10(error))), 0, 6);
}

std::string FormatFixed(double value, int decimals) {
  if (std::isnan(value)) return "-";
  if (!std::isfinite(value)) return value > 0 ? "inf" : "-inf";
  std::string text = absl::StrFormat("%.*f", decimals, value);
  // No negative zero.
  if (text.find_first_not_of("-0.") == std::string::npos && text[0] == '-') text.erase(0, 1);
  return text;
}

std::string FormatSeconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "-";
  if (seconds < 1) return absl::StrFormat("%.0f ms", 1000 * seconds);
  if (seconds < 59.95) return absl::StrFormat("%.1f s", seconds);
  const auto whole = static_cast<int64_t>(std::round(seconds));
  if (whole < 3600) return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  return absl::StrFormat("%d h %02d min", whole / 3600, whole % 3600 / 60);
}

Table::Table(std::vector<std::string> header) : header_(std::move(header)) {
  for (std::string& name : header_) {
    left_.push_back(!name.empty() && name[0] == '<');
    if (left_.back()) name.erase(0, 1);
  }
}

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(header_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::ToString() const {
  std::vector<int> widths;
  for (size_t c = 0; c < header_.size(); ++c) {
    int width = DisplayWidth(header_[c]);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[c]));
    widths.push_back(width);
  }
  const auto line = [&](const std::vector<std::string>& cells, bool header) {
    std::string text;
    for (size_t c = 0; c < cells.size(); ++c) {
      // The last column needs no padding on its right.
      const bool last = c + 1 == cells.size() && left_[c];
      const std::string cell = last ? cells[c] : Pad(cells[c], widths[c], left_[c]);
      absl::StrAppend(&text, c == 0 ? "" : "  ", header ? Styled(Style::kBold, cell) : cell);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string text = line(header_, true);
  for (const auto& row : rows_) absl::StrAppend(&text, line(row, false));
  return text;
}

}  // namespace aisivi::cli
