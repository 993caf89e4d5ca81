// The functions of Boost.Math that Stan 2.21 calls, for its arguments alone: see prelude.h.
#pragma once

#include <boost/math/policies/error_handling.hpp>
#include <boost/math/policies/policy.hpp>

namespace aisivi::stan_host {

// stan::math::boost_policy_t.
using Policy = boost::math::policies::policy<boost::math::policies::overflow_error<  //
                                                 boost::math::policies::errno_on_error>,
                                             boost::math::policies::pole_error<  //
                                                 boost::math::policies::errno_on_error>,
                                             boost::math::policies::promote_double<false>>;

// P(X <= x) of the successes X in n draws from N things, of which r are successes.
double HypergeometricCdf(unsigned int r, unsigned int n, unsigned int N, int x);

}  // namespace aisivi::stan_host

// Where Stan looks for them.
namespace boost::math {

double lgamma(double x, const aisivi::stan_host::Policy&);
double digamma(double x, const aisivi::stan_host::Policy&);
double digamma(double x);
double gamma_p(double a, double z, const aisivi::stan_host::Policy&);
double gamma_q(double a, double z);
double gamma_p_derivative(double a, double z);
double ibeta(double a, double b, double x);
double ibeta_derivative(double a, double b, double x);
double owens_t(double h, double a);
double cyl_bessel_j(int v, double x);
double cyl_bessel_i(int v, double x);
double cyl_bessel_k(int v, double x);
double cyl_neumann(int v, double x);
double falling_factorial(double x, int n, const aisivi::stan_host::Policy&);
double rising_factorial(double x, int n, const aisivi::stan_host::Policy&);

// Of whole numbers, for which Boost's declared templates would be the better match.
inline double lgamma(int x, const aisivi::stan_host::Policy& policy) {
  return lgamma(static_cast<double>(x), policy);
}
inline double cyl_bessel_j(int v, int x) { return cyl_bessel_j(v, static_cast<double>(x)); }
inline double cyl_bessel_i(int v, int x) { return cyl_bessel_i(v, static_cast<double>(x)); }
inline double cyl_bessel_k(int v, int x) { return cyl_bessel_k(v, static_cast<double>(x)); }
inline double cyl_neumann(int v, int x) { return cyl_neumann(v, static_cast<double>(x)); }
inline double falling_factorial(int x, int n, const aisivi::stan_host::Policy& policy) {
  return falling_factorial(static_cast<double>(x), n, policy);
}
inline double rising_factorial(int x, int n, const aisivi::stan_host::Policy& policy) {
  return rising_factorial(static_cast<double>(x), n, policy);
}

}  // namespace boost::math
