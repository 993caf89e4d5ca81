// The base class of a program, in place of Stan's: what the host calls, and nothing else.
//
// Stan's own makes a program's density for double and for var, with and without constants, with and
// without Jacobian: each of these eight is all of the program's mathematics compiled once more. The
// host asks for all constants and the Jacobian. What it does not call throws std::logic_error.
#pragma once

#define STAN_MODEL_MODEL_BASE_CRTP_HPP

#include <ostream>
#include <stan/model/model_base.hpp>
#include <stdexcept>
#include <vector>

namespace stan::model {

template <typename Program>
class model_base_crtp : public model_base {
 public:
  using Values = Eigen::VectorXd;
  using Variables = Eigen::Matrix<math::var, -1, 1>;
  using Indices = std::vector<int>;

  explicit model_base_crtp(size_t count) : model_base(count) {}

  double log_prob_jacobian(Values& z, std::ostream* text) const override {
    return program().template log_prob<false, true>(z, text);
  }
  math::var log_prob_jacobian(Variables& z, std::ostream* text) const override {
    return program().template log_prob<false, true>(z, text);
  }
  void write_array(boost::ecuyer1988& random, Values& z, Values& values, bool transformed,
                   bool generated, std::ostream* text) const override {
    program().write_array(random, z, values, transformed, generated, text);
  }

  double log_prob(Values&, std::ostream*) const override { Unused(); }
  math::var log_prob(Variables&, std::ostream*) const override { Unused(); }
  double log_prob_propto(Values&, std::ostream*) const override { Unused(); }
  math::var log_prob_propto(Variables&, std::ostream*) const override { Unused(); }
  double log_prob_propto_jacobian(Values&, std::ostream*) const override { Unused(); }
  math::var log_prob_propto_jacobian(Variables&, std::ostream*) const override { Unused(); }
  double log_prob(std::vector<double>&, Indices&, std::ostream*) const override { Unused(); }
  math::var log_prob(std::vector<math::var>&, Indices&, std::ostream*) const override { Unused(); }
  double log_prob_jacobian(std::vector<double>&, Indices&, std::ostream*) const override {
    Unused();
  }
  math::var log_prob_jacobian(std::vector<math::var>&, Indices&, std::ostream*) const override {
    Unused();
  }
  double log_prob_propto(std::vector<double>&, Indices&, std::ostream*) const override { Unused(); }
  math::var log_prob_propto(std::vector<math::var>&, Indices&, std::ostream*) const override {
    Unused();
  }
  double log_prob_propto_jacobian(std::vector<double>&, Indices&, std::ostream*) const override {
    Unused();
  }
  math::var log_prob_propto_jacobian(std::vector<math::var>&, Indices&,
                                     std::ostream*) const override {
    Unused();
  }
  void write_array(boost::ecuyer1988&, std::vector<double>&, Indices&, std::vector<double>&, bool,
                   bool, std::ostream*) const override {
    Unused();
  }

 private:
  const Program& program() const { return static_cast<const Program&>(*this); }
  [[noreturn]] static void Unused() { throw std::logic_error("the host does not call this"); }
};

}  // namespace stan::model
