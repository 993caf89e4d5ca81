#include "client/cli/draws_csv.h"

#include <charconv>
#include <cmath>

#include "absl/strings/str_join.h"
#include "engine/data/csv_reader.h"

namespace aisivi::cli {
namespace {

// The shortest text that reads back as the same number.
void Append(double value, std::string* line) {
  if (std::isnan(value)) {
    line->append("nan");
    return;
  }
  char text[32];
  const std::to_chars_result result = std::to_chars(text, text + sizeof(text), value);
  line->append(text, result.ptr);
}

void AppendCell(std::string* line, const std::string& name) { *line += CsvQuoted(CsvName(name)); }

}  // namespace

std::string CsvName(const std::string& name) {
  const size_t bracket = name.find('[');
  if (bracket == std::string::npos || name.back() != ']') return name;
  std::string index = name.substr(bracket + 1, name.size() - bracket - 2);
  // Commas after numbers part indices; others belong to a label.
  size_t i = 0;
  while ((i = index.find_first_not_of("0123456789", i)) != std::string::npos && index[i] == ',') {
    index[i++] = '.';
  }
  return name.substr(0, bracket) + "." + index;
}

void WriteDrawsHeader(const DrawsHeader& header, std::ostream& out) {
  out << "# model = " << header.target << "\n"
      << "# method = variational\n"
      << "#   variational\n"
      << "#     algorithm = " << header.method << "\n"
      << "#     output_samples = " << header.count << "\n"
      << (header.resampled ? "#     importance_resampled = 1\n" : "") << "# id = 1\n"
      << "# random\n"
      << "#   seed = " << header.seed << "\n"
      << "# fit = " << header.fit << "\n"
      << "lp__,log_p__,log_g__," << absl::StrJoin(header.names, ",", AppendCell) << "\n";
  std::string line = "0,0,0";
  for (const double value : header.mean) {
    line += ',';
    Append(value, &line);
  }
  out << line << "\n";
}

void WriteDraws(const v1::DrawsChunk& chunk, std::ostream& out) {
  const int dimension = chunk.dimension();
  std::string line;
  for (int n = 0; n < chunk.count(); ++n) {
    line = "0,";
    Append(n < chunk.log_p_size() ? chunk.log_p(n) : std::nan(""), &line);
    line += ',';
    Append(n < chunk.log_q_size() ? chunk.log_q(n) : std::nan(""), &line);
    for (int d = 0; d < dimension; ++d) {
      line += ',';
      Append(chunk.values(n * dimension + d), &line);
    }
    line += '\n';
    out << line;
  }
}

}  // namespace aisivi::cli
