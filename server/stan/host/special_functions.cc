// Boost's templates behind special_functions.h, compiled once for all programs.
#include <boost/math/distributions/hypergeometric.hpp>
#include <boost/math/special_functions/bessel.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/binomial.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/factorials.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/owens_t.hpp>

// Last: Boost is to call its own.
#include "special_functions.h"

namespace aisivi::stan_host {

double HypergeometricCdf(unsigned int r, unsigned int n, unsigned int N, int x) {
  return cdf(boost::math::hypergeometric_distribution<>(r, n, N), x);
}

}  // namespace aisivi::stan_host

// With their template arguments, for else each would call itself.
namespace boost::math {

using aisivi::stan_host::Policy;

double lgamma(double x, const Policy& policy) { return lgamma<double>(x, policy); }
double digamma(double x, const Policy& policy) { return digamma<double>(x, policy); }
double digamma(double x) { return digamma<double>(x); }
double gamma_p(double a, double z, const Policy& policy) {
  return gamma_p<double, double>(a, z, policy);
}
double gamma_q(double a, double z) { return gamma_q<double, double>(a, z); }
double gamma_p_derivative(double a, double z) { return gamma_p_derivative<double, double>(a, z); }
double ibeta(double a, double b, double x) { return ibeta<double, double, double>(a, b, x); }
double ibeta_derivative(double a, double b, double x) {
  return ibeta_derivative<double, double, double>(a, b, x);
}
double owens_t(double h, double a) { return owens_t<double, double>(h, a); }
double cyl_bessel_j(int v, double x) { return cyl_bessel_j<int, double>(v, x); }
double cyl_bessel_i(int v, double x) { return cyl_bessel_i<int, double>(v, x); }
double cyl_bessel_k(int v, double x) { return cyl_bessel_k<int, double>(v, x); }
double cyl_neumann(int v, double x) { return cyl_neumann<int, double>(v, x); }
double falling_factorial(double x, int n, const Policy& policy) {
  return falling_factorial<double>(x, static_cast<unsigned int>(n), policy);
}
double rising_factorial(double x, int n, const Policy& policy) {
  return rising_factorial<double>(x, n, policy);
}
template double binomial_coefficient<double>(unsigned int, unsigned int);

}  // namespace boost::math
