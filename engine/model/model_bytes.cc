#include "engine/model/model_bytes.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "engine/model/bytes.h"

namespace aisivi {
namespace {

// Layout: magic, version, then the values below in native little-endian order, then a checksum of
// all before it. Version 1: components. Version 2: a set of draws. Version 3: components with
// particles. Version 4: components whose proposals name the kind of their couplings. A model is
// written in the first version that can hold it; all are read.
constexpr char kMagic[8] = {'A', 'I', 'S', 'I', 'V', 'I', 'M', '\0'};
constexpr uint32_t kComponents = 1, kDraws = 2, kParticles = 3, kCouplingKinds = 4;
constexpr int64_t kMaxParticles = 1 << 16;
constexpr int64_t kMaxDim = 10000;
constexpr int64_t kMaxDraws = int64_t{1} << 27;

void PutFamily(const Family& family, ByteWriter* out) {
  const FamilyConfig& c = family.config();
  out->Put<int64_t>(c.dim);
  out->Put<int64_t>(c.latent_dim);
  out->Put<int64_t>(c.hidden);
  out->Put<uint8_t>(c.gaussian_latent);
  out->Put<uint8_t>(c.linear_skip);
  out->Put<uint8_t>(c.sigma_network);
  out->Put<float>(c.sigma_scale);
  if (c.particles > 0) out->Put<int64_t>(c.particles);
  out->PutArray(family.parameters().data(), family.parameters().size());
}

bool GetFamily(bool particles, ByteReader* in, Family* family) {
  FamilyConfig c;
  c.dim = in->GetSize(1, kMaxDim);
  c.latent_dim = in->GetSize(1, kMaxDim);
  c.hidden = in->GetSize(1, 1 << 13);
  c.gaussian_latent = in->Get<uint8_t>() != 0;
  c.linear_skip = in->Get<uint8_t>() != 0;
  c.sigma_network = in->Get<uint8_t>() != 0;
  c.sigma_scale = in->Get<float>();
  if (particles) c.particles = in->GetSize(1, kMaxParticles);
  if (c.linear_skip && (c.dim != c.latent_dim || !c.gaussian_latent)) return false;
  const int64_t numbers = c.hidden * (c.dim + c.latent_dim + c.hidden) + c.particles * c.latent_dim;
  if (!in->ok() || !in->Has(numbers, sizeof(float))) return false;
  *family = Family(c);
  in->GetArray(family->parameters().data(), family->parameters().size());
  return in->ok();
}

void PutProposal(uint32_t version, const Proposal& proposal, ByteWriter* out) {
  const ProposalConfig& c = proposal.config();
  out->Put<uint8_t>(c.linear_base);
  out->Put<float>(c.slope);
  out->Put<float>(c.sigma_scale);
  out->Put<uint8_t>(c.sigmoid);
  if (version == kCouplingKinds) out->Put<uint8_t>(static_cast<uint8_t>(c.coupling));
  out->Put<int64_t>(c.couplings);
  out->Put<int64_t>(c.coupling_hidden);
  out->Put<int64_t>(c.base_hidden);
  out->PutArray(proposal.parameters().data(), proposal.parameters().size());
}

bool GetProposal(uint32_t version, const FamilyConfig& family, ByteReader* in, Proposal* proposal) {
  ProposalConfig c;
  c.dim = family.dim;
  c.latent_dim = family.latent_dim;
  c.linear_base = in->Get<uint8_t>() != 0;
  c.slope = in->Get<float>();
  c.sigma_scale = in->Get<float>();
  c.sigmoid = in->Get<uint8_t>() != 0;
  if (version == kCouplingKinds) {
    const uint8_t kind = in->Get<uint8_t>();
    if (kind >= CouplingRegistry().size()) return false;
    c.coupling = static_cast<CouplingKind>(kind);
  }
  c.couplings = in->GetSize(0, 256);
  c.coupling_hidden = in->GetSize(0, 1 << 16);
  c.base_hidden = in->GetSize(1, 1 << 13);
  if (c.slope != 0 && c.dim != c.latent_dim) return false;
  if (!in->ok() || !in->Has(Proposal::ParameterCount(c), sizeof(float))) return false;
  *proposal = Proposal(c);
  in->GetArray(proposal->parameters().data(), proposal->parameters().size());
  return in->ok();
}

bool GetComponent(uint32_t version, ByteReader* in, Component* component) {
  component->log_weight = in->Get<double>();
  if (!GetFamily(version == kParticles, in, &component->family)) return false;
  const int64_t dim = component->family.dim();
  if (!in->Has(dim * dim, sizeof(double))) return false;
  component->affine.shift.resize(dim);
  component->affine.scale.resize(dim, dim);
  in->GetArray(component->affine.shift.data(), dim);
  in->GetArray(component->affine.scale.data(), dim * dim);
  component->has_proposal = in->Get<uint8_t>() != 0;
  if (!in->ok() || !component->has_proposal) return in->ok();
  if (version == kParticles) return false;
  return GetProposal(version, component->family.config(), in, &component->proposal);
}

void PutComponents(uint32_t version, const std::vector<Component>& components, ByteWriter* out) {
  out->Put<int64_t>(static_cast<int64_t>(components.size()));
  for (const Component& component : components) {
    out->Put<double>(component.log_weight);
    PutFamily(component.family, out);
    out->PutArray(component.affine.shift.data(), component.affine.shift.size());
    out->PutArray(component.affine.scale.data(), component.affine.scale.size());
    out->Put<uint8_t>(component.has_proposal);
    if (component.has_proposal) PutProposal(version, component.proposal, out);
  }
}

bool GetComponents(uint32_t version, ByteReader* in, std::vector<Component>* components) {
  components->resize(in->GetSize(1, 4096));
  for (Component& component : *components) {
    if (!GetComponent(version, in, &component)) return false;
    const Family& first = components->front().family;
    if (component.family.dim() != first.dim() ||
        component.family.latent_dim() != first.latent_dim()) {
      return false;
    }
  }
  return in->ok();
}

// The first version that can hold the model.
uint32_t VersionOf(const ModelState& state) {
  if (state.IsDrawSet()) return kDraws;
  if (state.components.front().family.particles() > 0) return kParticles;
  for (const Component& c : state.components) {
    if (c.has_proposal && c.proposal.config().coupling != CouplingKind::kAffine) {
      return kCouplingKinds;
    }
  }
  return kComponents;
}

void PutDraws(const DrawSet& draws, ByteWriter* out) {
  out->Put<int64_t>(draws.z.rows());
  out->Put<int64_t>(draws.z.cols());
  out->Put<double>(draws.log_z);
  out->PutArray(draws.z.data(), draws.z.size());
  out->PutArray(draws.log_p.data(), draws.log_p.size());
}

bool GetDraws(ByteReader* in, DrawSet* draws) {
  const int64_t dim = in->GetSize(1, kMaxDim), count = in->GetSize(1, kMaxDraws);
  draws->log_z = in->Get<double>();
  if (!in->ok() || !in->Has(dim * count, sizeof(double))) return false;
  draws->z.resize(dim, count);
  draws->log_p.resize(count);
  in->GetArray(draws->z.data(), draws->z.size());
  in->GetArray(draws->log_p.data(), count);
  return in->ok() && std::isfinite(draws->log_z) && draws->z.allFinite() &&
         draws->log_p.allFinite();
}

}  // namespace

std::string SerializeModelState(const ModelState& state) {
  ByteWriter out;
  out.Raw(kMagic, sizeof(kMagic));
  const uint32_t version = VersionOf(state);
  out.Put<uint32_t>(version);
  if (state.IsDrawSet()) {
    PutDraws(state.draws, &out);
  } else {
    PutComponents(version, state.components, &out);
  }
  return std::move(out).Finish();
}

absl::StatusOr<std::unique_ptr<ModelState>> ParseModelState(std::string_view bytes) {
  const absl::Status bad = absl::InvalidArgumentError("model: these bytes are not a fitted model");
  if (bytes.size() < sizeof(kMagic) + 12 ||
      std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) {
    return bad;
  }
  if (!TakeChecksum(&bytes)) {
    return absl::DataLossError("model: the checksum does not match; the bytes are damaged");
  }
  bytes.remove_prefix(sizeof(kMagic));
  ByteReader in(bytes);
  const uint32_t version = in.Get<uint32_t>();
  if (version < kComponents || version > kCouplingKinds) {
    return absl::InvalidArgumentError("model: written by another version of this program");
  }
  auto state = std::make_unique<ModelState>();
  const bool read = version == kDraws ? GetDraws(&in, &state->draws)
                                      : GetComponents(version, &in, &state->components);
  if (!read || !in.ok() || !in.AtEnd()) return bad;
  return state;
}

}  // namespace aisivi
