// Read before Stan's headers where a program is compiled, so that these hold less: each program
// includes all of Stan, and most of what that costs is for functions that it does not call.
//
//   Boost.Math  Stan calls fifteen of its functions. Only those are declared here, and the headers
//               that have them, with the templates behind, are left out. special_functions.cc,
//               which is compiled once, has them.
//   the program's base    eight variants of its density, of which two are called (program_base.h).
//   solvers and the like   are left out of programs that do not name them: of others the compiler
//               is given -DAISIVI_USES_<name>, for each name of kStanOptional in compiler.cc.
//
// Eight schools takes 14 s of processor time in place of 28 s (g++ 12 -O2, two cores that also did
// other work). It all hangs on the names of include guards, so that this does nothing where the
// versions are not those it was tested with.
#pragma once

#include <boost/version.hpp>
#include <stan/math/version.hpp>

#if STAN_MATH_MAJOR == 3 && STAN_MATH_MINOR == 0 && BOOST_VERSION == 107400
#include <boost/math/policies/error_handling.hpp>
#include <boost/math/policies/policy.hpp>

#define BOOST_MATH_SF_GAMMA_HPP
#define BOOST_MATH_SF_DIGAMMA_HPP
#define BOOST_MATH_SF_BINOMIAL_HPP
#define BOOST_MATH_SP_FACTORIALS_HPP
#define BOOST_MATH_SPECIAL_BETA_HPP
#define BOOST_MATH_BESSEL_HPP
#define BOOST_OWENS_T_HPP
#define BOOST_MATH_DISTRIBUTIONS_HYPERGEOMETRIC_HPP

#include "special_functions.h"

namespace boost::math {
template <class T>
T binomial_coefficient(unsigned int n, unsigned int k);
template <>
double binomial_coefficient<double>(unsigned int n, unsigned int k);

template <class T = double>
struct hypergeometric_distribution {
  unsigned int r, n, N;
  hypergeometric_distribution(unsigned int r, unsigned int n, unsigned int N) : r(r), n(n), N(N) {}
};
inline double cdf(const hypergeometric_distribution<double>& distribution, int x) {
  return aisivi::stan_host::HypergeometricCdf(distribution.r, distribution.n, distribution.N, x);
}
}  // namespace boost::math

// These come with the headers above.
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/fpclassify.hpp>

#ifndef AISIVI_USES_integrate_ode
#define STAN_MATH_PRIM_ARR_FUNCTOR_INTEGRATE_ODE_RK45_HPP
#define STAN_MATH_REV_MAT_FUNCTOR_CVODES_ODE_DATA_HPP
#define STAN_MATH_REV_MAT_FUNCTOR_CVODES_UTILS_HPP
#define STAN_MATH_REV_MAT_FUNCTOR_INTEGRATE_ODE_ADAMS_HPP
#define STAN_MATH_REV_MAT_FUNCTOR_INTEGRATE_ODE_BDF_HPP
#define STAN_MATH_REV_MAT_FUNCTOR_INTEGRATE_ODE_CVODES_HPP
#endif
// No program can call it in this version.
#define STAN_MATH_REV_MAT_FUNCTOR_INTEGRATOR_DAE_HPP
#ifndef AISIVI_USES_integrate_1d
#define STAN_MATH_PRIM_ARR_FUNCTOR_integrate_1d_HPP
#define STAN_MATH_REV_ARR_FUNCTOR_integrate_1d_HPP
#endif
#ifndef AISIVI_USES_algebra_solver
#define STAN_MATH_REV_MAT_FUNCTOR_ALGEBRA_SOLVER_NEWTON_HPP
#define STAN_MATH_REV_MAT_FUNCTOR_ALGEBRA_SOLVER_POWELL_HPP
#define STAN_MATH_REV_MAT_FUNCTOR_FP_SOLVER_HPP
#endif
#ifndef AISIVI_USES_cholesky_decompose
#define STAN_MATH_PRIM_MAT_FUN_CHOLESKY_DECOMPOSE_HPP
#define STAN_MATH_REV_MAT_FUN_CHOLESKY_DECOMPOSE_HPP
#endif
#ifndef AISIVI_USES_inverse
#define STAN_MATH_REV_MAT_FUN_INVERSE_HPP
#endif
#ifndef AISIVI_USES_matrix_exp
#define STAN_MATH_PRIM_MAT_FUN_MATRIX_EXP_MULTIPLY_HPP
#define STAN_MATH_REV_MAT_FUN_MATRIX_EXP_MULTIPLY_HPP
#define STAN_MATH_REV_MAT_FUN_SCALE_MATRIX_EXP_MULTIPLY_HPP
#endif
#ifndef AISIVI_USES_ordered_logistic_glm
#define STAN_MATH_PRIM_MAT_PROB_ORDERED_LOGISTIC_GLM_LPMF_HPP
#endif
#ifndef AISIVI_USES_gaussian_dlm_obs
#define STAN_MATH_PRIM_MAT_PROB_GAUSSIAN_DLM_OBS_RNG_HPP
#endif
#ifndef AISIVI_USES_matrix_normal_prec
#define STAN_MATH_PRIM_MAT_PROB_MATRIX_NORMAL_PREC_RNG_HPP
#endif

#include "program_base.h"
#endif
