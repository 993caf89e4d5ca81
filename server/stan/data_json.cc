#include "server/stan/data_json.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

using Json = nlohmann::json;

constexpr std::pair<absl::string_view, double> kNotFinite[] = {
    {"NaN", std::numeric_limits<double>::quiet_NaN()},
    {"Infinity", std::numeric_limits<double>::infinity()},
    {"+Infinity", std::numeric_limits<double>::infinity()},
    {"-Infinity", -std::numeric_limits<double>::infinity()},
    {"Inf", std::numeric_limits<double>::infinity()},
    {"+Inf", std::numeric_limits<double>::infinity()},
    {"-Inf", -std::numeric_limits<double>::infinity()}};

// What CmdStan takes and JSON does not have, NaN and infinities without quotation marks, with them.
std::string QuoteNotFinite(absl::string_view json) {
  std::string quoted;
  quoted.reserve(json.size());
  bool in_string = false;
  for (size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (in_string && c == '\\') {
      quoted += c;
      if (++at < json.size()) quoted += json[at];
      continue;
    }
    if (c == '"') in_string = !in_string;
    absl::string_view name;
    if (!in_string && (c == 'N' || c == 'I' || c == '-' || c == '+')) {
      for (const auto& [text, value] : kNotFinite) {
        if (absl::StartsWith(json.substr(at), text)) {
          name = text;
          break;
        }
      }
    }
    if (name.empty()) {
      quoted += c;
    } else {
      absl::StrAppend(&quoted, "\"", name, "\"");
      at += name.size() - 1;
    }
  }
  return quoted;
}

void AppendNumber(uint64_t number, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&number), sizeof(number));
}

// Takes the events of the parser, one variable after the other.
class DataReader : public nlohmann::json_sax<Json> {
 public:
  absl::StatusOr<std::string> Finish() {
    if (!status_.ok()) return status_;
    std::string bytes;
    AppendNumber(names_.size(), &bytes);
    return bytes + encoded_;
  }

  bool null() override { return Fail("is null; numbers and arrays of them are read"); }
  bool boolean(bool /*value*/) override { return Fail("is true or false, which is no number"); }
  bool number_integer(int64_t value) override {
    const bool fits = value >= std::numeric_limits<int32_t>::min() &&
                      value <= std::numeric_limits<int32_t>::max();
    return Value(static_cast<double>(value), fits);
  }
  bool number_unsigned(uint64_t value) override {
    return Value(static_cast<double>(value), value <= std::numeric_limits<int32_t>::max());
  }
  bool number_float(double value, const std::string& /*text*/) override {
    return Value(value, false);
  }
  bool string(std::string& text) override {
    for (const auto& [name, value] : kNotFinite) {
      if (text == name) return Value(value, false);
    }
    return Fail(absl::StrCat("holds the text ", Quoted(text), ", which is no number"));
  }
  bool binary(Json::binary_t& /*value*/) override { return Fail("is binary"); }

  bool start_object(size_t /*elements*/) override {
    if (!in_object_ && name_.empty()) {
      in_object_ = true;
      return true;
    }
    return Fail("is an object; tuples are not read");
  }
  bool key(std::string& name) override {
    name_ = name;
    if (name.empty()) return Fail("a variable has no name");
    if (!names_.insert(name).second) return Fail("is given twice");
    sizes_.clear();
    values_.clear();
    counts_.clear();
    scalars_at_.reset();
    is_int_ = true;
    return true;
  }
  bool end_object() override { return true; }

  bool start_array(size_t /*elements*/) override {
    if (!in_object_) return Fail("");
    if (!counts_.empty() && !Count()) return false;
    if (scalars_at_.has_value() && *scalars_at_ <= counts_.size()) return Ragged();
    counts_.push_back(0);
    if (counts_.size() > kMaxDataDepth) {
      return Fail(absl::StrCat("has more than ", kMaxDataDepth, " arrays within arrays"));
    }
    return true;
  }
  bool end_array() override {
    const size_t depth = counts_.size() - 1;
    if (sizes_.size() <= depth) sizes_.resize(depth + 1);
    if (sizes_[depth].has_value() && *sizes_[depth] != counts_[depth]) return Ragged();
    sizes_[depth] = counts_[depth];
    counts_.pop_back();
    return counts_.empty() ? Store() : true;
  }

  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: …"
    absl::string_view what = error.what();
    what.remove_prefix(what.find(']') == absl::string_view::npos ? 0 : what.find(']') + 2);
    status_ = absl::InvalidArgumentError(absl::StrCat("is no JSON: ", Shortened(what, 300)));
    return false;
  }

 private:
  bool Fail(absl::string_view what) {
    status_ = absl::InvalidArgumentError(
        !in_object_ ? std::string("must be a JSON object, {\"variable\": value, …}")
                    : absl::StrCat("variable ", Quoted(name_), " ", what));
    return false;
  }
  bool Ragged() { return Fail("is ragged: arrays at the same depth have different sizes"); }

  bool Count() {
    ++counts_.back();
    return true;
  }
  bool Value(double value, bool is_int) {
    if (!in_object_) return Fail("");
    const size_t depth = counts_.size();
    if (scalars_at_.value_or(depth) != depth || sizes_.size() > depth) return Ragged();
    scalars_at_ = depth;
    is_int_ = is_int_ && is_int;
    values_.push_back(value);
    return depth == 0 ? Store() : Count();
  }

  // Appends the variable, its values (row after row so far) with the first index fastest.
  bool Store() {
    AppendNumber(is_int_ ? 1 : 0, &encoded_);
    AppendNumber(name_.size(), &encoded_);
    AppendNumber(sizes_.size(), &encoded_);
    AppendNumber(values_.size(), &encoded_);
    encoded_ += name_;
    encoded_.append((8 - name_.size() % 8) % 8, '\0');
    for (const auto& size : sizes_) AppendNumber(size.value_or(0), &encoded_);
    std::vector<size_t> index(sizes_.size(), 0), strides(sizes_.size(), 1);
    for (size_t d = sizes_.size(); d-- > 1;) strides[d - 1] = strides[d] * sizes_[d].value_or(0);
    for (size_t i = 0, at = 0; i < values_.size(); ++i) {
      AppendValue(values_[at]);
      for (size_t d = 0; d < index.size(); ++d) {
        at += strides[d];
        if (++index[d] < *sizes_[d]) break;
        at -= strides[d] * index[d];
        index[d] = 0;
      }
    }
    return true;
  }
  void AppendValue(double value) {
    uint64_t bits = static_cast<uint64_t>(static_cast<int64_t>(is_int_ ? value : 0));
    if (!is_int_) std::memcpy(&bits, &value, sizeof(bits));
    AppendNumber(bits, &encoded_);
  }

  absl::Status status_;
  std::string encoded_;
  std::set<std::string> names_;
  bool in_object_ = false;
  // Of the variable that is read: the sizes known so far by depth, the elements so far of the
  // arrays that are open, and how deep its numbers stand.
  std::string name_;
  std::vector<std::optional<size_t>> sizes_;
  std::vector<size_t> counts_;
  std::optional<size_t> scalars_at_;
  std::vector<double> values_;
  bool is_int_ = true;
};

}  // namespace

absl::StatusOr<std::string> EncodeStanData(absl::string_view json) {
  if (absl::StripAsciiWhitespace(json).empty()) json = "{}";
  DataReader reader;
  Json::sax_parse(QuoteNotFinite(json), &reader);
  return reader.Finish();
}

}  // namespace aisivi::server
