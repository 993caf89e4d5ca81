// The fields of everything that a checkpoint holds, each named once for both ways: a visitor that
// writes sees the same as one that reads.
//
// Every Visit() takes its struct apart into all of its members, so that one that is added there
// does not compile until it is visited here. A change of what is visited is a new version
// (checkpoint.cc).
#pragma once

#include <type_traits>

#include "engine/fit/checkpoint.h"

namespace aisivi {

// T, or const T for a visitor that only looks.
template <typename Visitor, typename T>
using Visited = std::conditional_t<Visitor::kWriting, const T, T>;

struct CheckpointFields {
  // Records and results.
  template <typename V>
  static void Visit(V& v, Visited<V, FitProgress>& s) {
    auto& [phase, iteration, total, seconds, loss, flow_loss, ess, residual, elbo, log_z, skipped,
           of_result] = s;
    v(phase, iteration, total, seconds, loss, flow_loss, ess, residual, elbo, log_z, skipped,
      of_result);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, ReportSpan>& s) {
    auto& [first, last] = s;
    v(first, last);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, ReporterState>& s) {
    auto& [current, history, calls, stride] = s;
    v(current, history, calls, stride);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, MultistartReport>& s) {
    auto& [end, searches, modes, radius, unmet, evaluations] = s;
    v(end, searches, modes, radius, unmet, evaluations);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, EvidenceEstimate>& s) {
    auto& [kind, log_z, error, lower, lower_se, upper, upper_se, ess, pareto_k, largest, draws,
           inner_samples, non_finite, wanted_error, kernel_bias] = s;
    v(kind, log_z, error, lower, lower_se, upper, upper_se, ess, pareto_k, largest, draws,
      inner_samples, non_finite, wanted_error, kernel_bias);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, FitResult>& s) {
    auto& [reason, message, model, evidence, last, history, log, r_hat, restart_elbo, search] = s;
    v(reason, message, model, evidence, last, history, log, r_hat, restart_elbo, search);
  }

  // Looks from outside.
  template <typename V>
  static void Visit(V& v, Visited<V, DrawGroups>& s) {
    auto& [size, first] = s;
    v(size, first);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, HeldOut>& s) {
    auto& [elbo, gap, at_ceiling, log_weight, groups] = s;
    v(elbo, gap, at_ceiling, log_weight, groups);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, BestState>& s) {
    auto& [model, held_out, reports] = s;
    v(model, held_out, reports);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, CheckReport>& s) {
    auto& [elbo, gap, residual] = s;
    v(elbo, gap, residual);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, EvidenceState>& s) {
    auto& [inner_samples, log_p, log_q, log_q_upper, groups] = s;
    v(inner_samples, log_p, log_q, log_q_upper, groups);
  }

  // Training.
  template <typename V>
  static void Visit(V& v, Visited<V, AdamState>& s) {
    auto& [beta1, beta2, steps, first, second] = s;
    v(beta1, beta2, steps, first, second);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, Adam>& s) {
    v(s.state());
  }
  template <typename V>
  static void Visit(V& v, Visited<V, FlowTrainingState>& s) {
    auto& [adam, iteration, loss] = s;
    v(adam, iteration, loss);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, ParameterAverages>& s) {
    auto& [steps, family, flow] = s;
    v(steps, family, flow);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, Adaptation>& s) {
    auto& [asked_inner, asked_flow, inner, flow, steps, ess, residual] = s;
    v(asked_inner, asked_flow, inner, flow, steps, ess, residual);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, TypicalLength>& s) {
    auto& [value, steps] = s;
    v(value, steps);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, ObjectiveState>& s) {
    auto& [adaptation, typical_length, chain_step] = s;
    v(adaptation, typical_length, chain_step);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, TrainerState>& s) {
    auto& [flow, family_adam, averages, objective, iteration, skipped] = s;
    v(flow, family_adam, averages, objective, iteration, skipped);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, ScheduleState>& s) {
    auto& [descent, end, settled, checks] = s;
    v(descent, end, settled, checks);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, RunningElbo>& s) {
    auto& [recent, steps] = s;
    v(recent, steps);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, LearningRates>& s) {
    auto& [factor, halved_at] = s;
    v(factor, halved_at);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, TrainingProgress>& s) {
    auto& [steps, non_finite, criterion_sum, criterion_steps, elbo, rates, reports] = s;
    v(steps, non_finite, criterion_sum, criterion_steps, elbo, rates, reports);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, ReturnPoint>& s) {
    auto& [model, elbo, gap, reports] = s;
    v(model, elbo, gap, reports);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, Start>& s) {
    auto& [state, how] = s;
    v(state, how);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, TrainingState>& s) {
    auto& [model, start, trainer, schedule, progress, return_point] = s;
    v(model, start, trainer, schedule, progress, return_point);
  }

  // Sampling.
  template <typename V>
  static void Visit(V& v, Visited<V, AffineGaussian>& s) {
    auto& [mean, scale] = s;
    v(mean, scale);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, AnnealingBase>& s) {
    auto& [components, heavy_share] = s;
    v(components, heavy_share);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, Population>& s) {
    auto& [z, log_p, score, log_base] = s;
    v(z, log_p, score, log_base);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, AnnealingLevel>& s) {
    auto& [beta, ess, acceptance, step] = s;
    v(beta, ess, acceptance, step);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, AnnealingState>& s) {
    auto& [particles, beta, step, moves, log_z, tail, betas, ratios, log_zs, levels, reached,
           last_evaluation] = s;
    v(particles, beta, step, moves, log_z, tail, betas, ratios, log_zs, levels, reached,
      last_evaluation);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, Pilot>& s) {
    auto& [base, evaluations_each] = s;
    v(base, evaluations_each);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, PilotState>& s) {
    auto& [result, number, particles, before, last_evaluation, done, annealing] = s;
    v(result, number, particles, before, last_evaluation, done, annealing);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, RoundSums>& s) {
    auto& [sequential, multistate, tail, particles] = s;
    v(sequential, multistate, tail, particles);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, IslandEvidence>& s) {
    auto& [log_z, log_z_multistate, standard_error] = s;
    v(log_z, log_z_multistate, standard_error);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, PooledDraws>& s) {
    auto& [island, log_weight, z, log_p] = s;
    v(island, log_weight, z, log_p);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, DrawPool>& s) {
    auto& [parts, stride] = s;
    v(parts, stride);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, Rounds>& s) {
    auto& [base, sums, evidence, pool, unsettled, better, stale, reached, exhausted, each, done,
           levels] = s;
    v(base, sums, evidence, pool, unsettled, better, stale, reached, exhausted, each, done, levels);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, ReferenceState>& s) {
    auto& [evaluations, pilot, rounds, particles, before, annealing] = s;
    v(evaluations, pilot, rounds, particles, before, annealing);
  }

  // A run, and all of them.
  template <typename V>
  static void Visit(V& v, Visited<V, RunState>& s) {
    auto& [stage, seconds, time_limit, best, reason, training_began, shortened, search, log, starts,
           shown, contender, training, flow_iteration, sampler, evidence] = s;
    v(stage, seconds, time_limit, best, reason, training_began, shortened, search, log, starts,
      shown, contender, training, flow_iteration, sampler, evidence);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, RestartsState>& s) {
    auto& [run, best, kept, with_evidence, draws, elbo, log, afresh, evidence] = s;
    v(run, best, kept, with_evidence, draws, elbo, log, afresh, evidence);
  }
  template <typename V>
  static void Visit(V& v, Visited<V, FitCheckpoint>& s) {
    auto& [fingerprint, spec, seconds, record, restarts, run] = s;
    v(fingerprint, spec, seconds, record, restarts, run);
  }
};

}  // namespace aisivi
