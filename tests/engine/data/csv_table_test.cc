#include "engine/data/csv_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace aisivi {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Parsed {
  absl::Status status;
  bool has_header = false;
  std::vector<CsvColumn> columns;
  std::vector<std::vector<double>> rows;

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const CsvColumn& column : columns) all.push_back(column.name);
    return all;
  }
};

// The text in pieces of `piece` bytes.
Parsed Parse(absl::string_view text, bool header_required = true, size_t piece = 1 << 20) {
  Parsed parsed;
  CsvTableReader reader({.header_required = header_required}, [&](std::span<const double> row) {
    parsed.rows.emplace_back(row.begin(), row.end());
    return absl::OkStatus();
  });
  for (size_t i = 0; i < text.size() && parsed.status.ok(); i += piece) {
    parsed.status = reader.Feed(text.substr(i, piece));
  }
  if (parsed.status.ok()) parsed.status = reader.Finish();
  parsed.has_header = reader.has_header();
  parsed.columns = reader.columns();
  EXPECT_EQ(reader.rows(), static_cast<int64_t>(parsed.rows.size()));
  return parsed;
}

std::string Message(absl::string_view text, bool header_required = true) {
  const absl::Status status = Parse(text, header_required).status;
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << text << status;
  return std::string(status.message());
}

TEST(CsvTable, NamesAndRows) {
  const Parsed table = Parse("y,age,income\n1,20,1.5\n0,-3,5e-1\n");
  ASSERT_TRUE(table.status.ok()) << table.status;
  EXPECT_THAT(table.names(), ElementsAre("y", "age", "income"));
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre(1, 20, 1.5), ElementsAre(0, -3, 0.5)));
  EXPECT_EQ(table.columns[1].minimum, -3);
  EXPECT_EQ(table.columns[1].maximum, 20);
}

// Each of these is the same table.
TEST(CsvTable, FormsOfOneTable) {
  const char* texts[] = {
      "a,b\n1,2\n3,4\n",
      "a,b\n1,2\n3,4",          // no line break at the end
      "a,b\r\n1,2\r\n3,4\r\n",  // CRLF
      "a,b\r1,2\r3,4\r",        // CR
      "\xEF\xBB\xBF"
      "a,b\n1,2\n3,4\n",                      // byte-order mark
      "\"a\",\"b\"\n\"1\",\"2\"\n3,\"4\"\n",  // quotation marks
      " a ,\tb \n 1 , 2\n3,\t4 \n",           // blanks
      " \"a\" , \"b\"\t\n1,2\n3,4\n",         // blanks around quotation marks
      "# a comment, \"with a quote\n\na,b\n\n1,2\n  # 5,6\n3,4\n\n\n",
      "\xEF\xBB\xBF# a comment\r\na,b\r\n1,2\r\n\r\n3,4",
      "a,b\n+1,2.0\n3e0,04\n",
  };
  for (const char* text : texts) {
    // Cut anywhere, between the bytes of a mark or a line break too.
    for (const size_t piece : {1, 2, 3, 5, 1000}) {
      const Parsed table = Parse(text, true, piece);
      ASSERT_TRUE(table.status.ok()) << table.status << " in " << text;
      EXPECT_THAT(table.names(), ElementsAre("a", "b")) << text;
      EXPECT_THAT(table.rows, ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4))) << text;
    }
  }
}

TEST(CsvTable, QuotedNamesHoldAnything) {
  const Parsed table = Parse(
      "\"a, b\",\"say \"\"x\"\"\",\"Temp\r\n (\xC2\xB0"
      "C)\",\"#\",\"2019\"\n1,2,3,4,5\n");
  ASSERT_TRUE(table.status.ok()) << table.status;
  EXPECT_THAT(table.names(), ElementsAre("a, b", "say \"x\"",
                                         "Temp (\xC2\xB0"
                                         "C)",
                                         "#", "2019"));
}

TEST(CsvTable, IntegersAndRealsAreToldApart) {
  const Parsed table = Parse(
      "whole,signed,point,exponent,exact,inexact\n"
      "1,+1,1.0,1,9007199254740992,9007199254740993000\n"
      "2,-1,2,1e3,-9007199254740992,1\n");
  ASSERT_TRUE(table.status.ok()) << table.status;
  std::vector<bool> integer;
  for (const CsvColumn& column : table.columns) integer.push_back(column.integer);
  EXPECT_THAT(integer, ElementsAre(true, true, false, false, true, false));
}

TEST(CsvTable, MistakesAreNamedWithLineAndColumn) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      // Missing values.
      {"y,x\n1,2\n1,\n", "line 3: column 2 (x): the cell is empty; leave such rows out"},
      {"y,x\n,2\n", "line 2: column 1 (y): the cell is empty"},
      {"y,x\n1,\"\"\n", "line 2: column 2 (x): the cell is empty"},
      {"y,x\n1,NA\n", "line 2: column 2 (x): 'NA' is a missing value"},
      {"y,x\n1,\"NA\"\n", "line 2: column 2 (x): 'NA' is a missing value"},
      {"y,x\n1,nan\n", "line 2: column 2 (x): 'nan' is a missing value"},
      {"y,x\n1,NULL\n", "line 2: column 2 (x): 'NULL' is a missing value"},
      {"y,x\n1,n/a\n", "line 2: column 2 (x): 'n/a' is a missing value"},
      // What is no number.
      {"y,x\n1,two\n", "line 2: column 2 (x): 'two' is not a number"},
      {"y,x\n1,1 2\n", "line 2: column 2 (x): '1 2' is not a number"},
      {"y,x\n1,0x10\n", "line 2: column 2 (x): '0x10' is not a number"},
      {"y,x\n1,\"1\n2\"\n", "line 2: column 2 (x): '1\\n2' is not a number"},
      {"y,x\n1,-inf\n", "line 2: column 2 (x): '-inf' is not a finite number"},
      {"y,x\n1,1e999\n", "line 2: column 2 (x): '1e999' is not a finite number"},
      {"y,x\n1,\x1b[2J\n", "line 2: column 2 (x): '\\x1b[2J' is not a number"},
      {"y,x\n1,\xff\n", "line 2: column 2 (x): '\\xff' is not a number"},
      // Lines of another length.
      {"y,x\n1\n", "line 2: 1 cells, the lines before it have 2"},
      {"y,x\n1,2,3\n", "line 2: 3 cells, the lines before it have 2"},
      {"y,x\n1,2,\n", "line 2: 3 cells, the lines before it have 2"},
      // Quotation marks.
      {"y,x\n1,\"2\n", "line 2: column 2: a quotation mark is opened here and never closed"},
      {"y,x\n1,\"2\"3\n", "line 2: column 2: text after a closing quotation mark"},
      {"y,x\n1,5\"3\n", "line 2: column 2: a quotation mark inside a cell"},
      // Line breaks inside quotation marks count as lines.
      {"y,\"x\r\n1\"\n1,2\n1,\n", "line 4: column 2 (x 1): the cell is empty"},
      // Names.
      {"y,x,y\n1,2,3\n", "line 1: column 3: is called 'y', like column 1"},
      {"y, x,\"x \"\n1,2,3\n", "line 1: column 3: is called 'x', like column 2"},
      {",x\n1,2\n", "line 1: column 1: the column has no name"},
      {"y,\" \"\n1,2\n", "line 1: column 2: the column has no name"},
      {"y,\x1b[2J\n1,2\n", "line 1: column 2: the name has control characters"},
      {"y,\xC2\x85x\n1,2\n", "line 1: column 2: the name has control characters"},
      {"y,\xC3\n1,2\n", "line 1: column 2: the name is not UTF-8"},
      {"y,\xED\xA0\x80\n1,2\n", "line 1: column 2: the name is not UTF-8"},
      {"y,\xC0\xAF\n1,2\n", "line 1: column 2: the name is not UTF-8"},
      {"1,2\n3,4\n", "line 1: column 1: the first line has to name the columns, and '1' is a num"},
      {"y,2\n3,4\n", "line 1: column 2: the first line has to name the columns, and '2' is a num"},
      {"# c\n\ny,2\n", "line 3: column 2: the first line has to name the columns"},
      // Nothing in it.
      {"", "there are no data in it"},
      {"\xEF\xBB\xBF", "there are no data in it"},
      {"\n\n# only this", "there are no data in it"},
      {"y,x\n", "there are no rows below the names"},
  };
  for (const auto& c : cases) EXPECT_THAT(Message(c.text), HasSubstr(c.message)) << c.text;
  EXPECT_THAT(Message(std::string("y,x\n1,\0"
                                  "2\n",
                                  8)),
              HasSubstr("column 2: a NUL byte"));
  EXPECT_THAT(Message("\xFF\xFEy\x00,"), HasSubstr("not UTF-8"));
  EXPECT_THAT(Message(absl::StrCat("y,", std::string(129, 'x'), "\n1,2\n")),
              HasSubstr("column 2: the name has more than 128 bytes"));
}

TEST(CsvTable, TheLineOfNamesMayBeMissing) {
  const Parsed table = Parse("1,2\n0,3\n", false);
  ASSERT_TRUE(table.status.ok()) << table.status;
  EXPECT_FALSE(table.has_header);
  EXPECT_THAT(table.names(), ElementsAre("", ""));
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre(1, 2), ElementsAre(0, 3)));
  EXPECT_TRUE(Parse("y,\"2\"\n0,3\n", false).has_header);
  // One that mixes names and numbers is a line of data with a mistake in it.
  EXPECT_THAT(Message("1,two\n0,3\n", false), HasSubstr("line 1: column 2: 'two' is not a number"));
  EXPECT_THAT(Message("nan,2\n", false), HasSubstr("line 1: column 1: 'nan' is a missing value"));
  EXPECT_THAT(Message(",\n1,2\n", false), HasSubstr("line 1: column 1: the cell is empty"));
}

TEST(CsvTable, ErrorsNameTheFileWhereThereIsOne) {
  CsvTableReader reader({.source = "f.csv"}, nullptr);
  ASSERT_TRUE(reader.Feed("y,x\n1,2\n").ok());
  const absl::Status first = reader.Feed("1,two\n");
  EXPECT_EQ(first.message(), "f.csv:3: column 2 (x): 'two' is not a number");
  EXPECT_EQ(reader.Feed("1,2\n"), first);
  EXPECT_EQ(reader.Finish(), first);
}

TEST(CsvTable, ErrorsOfTheReceiverEndIt) {
  CsvTableReader reader({}, [](std::span<const double>) { return absl::AbortedError("enough"); });
  EXPECT_EQ(reader.Feed("1,2\n3,4\n").message(), "enough");
  EXPECT_EQ(reader.rows(), 1);
}

// Feeds `piece` until it is refused, at most `most` bytes of it; returns how many were taken.
size_t TakenBytes(const std::string& start, const std::string& piece, size_t most,
                  absl::Status* status) {
  CsvTableReader reader({.header_required = true}, nullptr);
  *status = reader.Feed(start);
  size_t taken = 0;
  while (status->ok() && taken < most) {
    *status = reader.Feed(piece);
    if (status->ok()) taken += piece.size();
  }
  return taken;
}

// Whatever comes, no more than one cell or one row of it is held, and it ends soon.
TEST(CsvTable, AttacksEndEarly) {
  constexpr size_t kMost = 200 << 20;
  const std::string digits(1 << 16, '7'), commas(1 << 16, ','), text(1 << 16, 'x');
  const std::string breaks(1 << 16, '\n');
  const struct {
    std::string start;
    std::string piece;
    const char* message;
  } cases[] = {
      {"", text, "line 1: column 1: the cell has more than 1024 bytes"},
      {"y,x\n1,", digits, "line 2: column 2: the cell has more than 1024 bytes"},
      {"y,x\n1,\"", commas, "is its closing quotation mark missing?"},
      {"y,x\n1,\"", breaks, "is its closing quotation mark missing?"},
      {"", commas, "line 1: more than 16384 columns"},
      {"y,x\n1,2", commas, "line 2: more than 16384 columns"},
  };
  for (const auto& c : cases) {
    absl::Status status;
    EXPECT_EQ(TakenBytes(c.start, c.piece, kMost, &status), 0u) << c.message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
  const std::string million(1'000'000, ',');
  EXPECT_THAT(Message("y" + million + "\n"), HasSubstr("more than 16384 columns"));
}

TEST(CsvTable, AsManyColumnsAsThereMayBe) {
  std::string names, row;
  for (int c = 0; c < kMaxCsvColumns; ++c) {
    absl::StrAppend(&names, c == 0 ? "" : ",", "c", c);
    absl::StrAppend(&row, c == 0 ? "" : ",", c);
  }
  const Parsed table = Parse(absl::StrCat(names, "\n", row, "\n"));
  ASSERT_TRUE(table.status.ok()) << table.status;
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].back(), kMaxCsvColumns - 1);
}

TEST(CsvReader, ReadsWhatCsvQuotedWrites) {
  const std::vector<std::string> texts = {"plain", "a,b",   "say \"x\"", "two\nlines", "#1",
                                          " edge", "edge ", "",          "beta[a, b]"};
  std::string line;
  for (const std::string& text : texts) {
    absl::StrAppend(&line, line.empty() ? "" : ",", CsvQuoted(text));
  }
  std::vector<std::string> cells;
  CsvReader reader("", {.on_cell =
                            [&cells](const CsvCell& cell) {
                              cells.emplace_back(cell.text);
                              return absl::OkStatus();
                            },
                        .on_record = [](int64_t, int) { return absl::OkStatus(); }});
  ASSERT_TRUE(reader.Feed(line).ok());
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_EQ(cells, texts);
  EXPECT_EQ(CsvQuoted("plain"), "plain");
}

}  // namespace
}  // namespace aisivi
