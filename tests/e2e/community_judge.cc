#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/fingerprint.h"
#include "e2e/community.h"

namespace rota::e2e {
namespace {

// A reply that came shortly before a kill may not have been durable; a call of before it may be
// carried out after it.
constexpr Duration kNotDurable{500};
// After a start and after bad weather: what had to wait meanwhile is fetched again.
constexpr Duration kAfterStart{100};
constexpr Duration kAfterWeather{6'000};
constexpr Duration kAfterStall{1'500};
// Between a deed's answer and the call that it causes.
constexpr Duration kEffect{300};
// Of the daemon's idea of Circle's clock.
constexpr Duration kClockSlack{1'000};

struct Row {
  std::string token;
  bool access = false;
  int person = 0;
  WallTime issued;
  WallTime expires;
  std::string state;
  bool delivered = false;
};

bool meet(const Span& a, const Span& b) { return a.from <= b.to && b.from <= a.to; }

bool any_meets(const std::vector<Span>& spans, const Span& span) {
  return std::ranges::any_of(spans, [&span](const Span& each) { return meet(each, span); });
}

Span later(const Span& span, Duration delay) { return {.from = span.from, .to = span.to + delay}; }

}  // namespace

class Judge {
 public:
  Judge(const History& history, const boost::json::array& ledger, const Terms& terms, Span campaign)
      : history_(history), terms_(terms), campaign_(campaign) {
    for (const auto& each : ledger) {
      const auto& row = each.as_object();
      const auto text = [&row](std::string_view name) {
        return std::string(row.at(name).as_string());
      };
      const auto time = [&](std::string_view name) {
        return parse_iso8601(text(name)).value_or(WallTime{}) - terms.clock_offset;
      };
      by_token_.emplace(text("token"), rows_.size());
      rows_.push_back({.token = text("token"),
                       .access = text("kind") == "access",
                       .person = row.at("community_member_id").to_number<int>(),
                       .issued = time("issued_at"),
                       .expires = time("expires_at"),
                       .state = text("state"),
                       .delivered = row.at("delivered").as_bool()});
      by_person_[rows_.back().person].push_back(rows_.size() - 1);
    }
    for (const Span& down : history_.down_) excuses_.push_back(later(down, kAfterStart));
    for (const Span& foul : history_.foul_) excuses_.push_back(later(foul, kAfterWeather));
    for (const Span& stall : history_.stalls_) excuses_.push_back(later(stall, kAfterStall));
    std::ranges::sort(excuses_, {}, &Span::from);
    verdict_.stalls = history_.stalls_.size();
  }

  // --- Nobody is served a foreign token, a dead one, or one although it is out ---
  void served() {
    for (const auto& seen : history_.sightings_) {
      ++verdict_.sightings;
      const std::string& token = history_.tokens_[seen.token];
      const History::Known& name = history_.names_[seen.name];
      const auto at = by_token_.find(token);
      if (at == by_token_.end()) {
        ADD_FAILURE() << name.key << " is served a token that the sandbox never made";
        continue;
      }
      const Row& row = rows_[at->second];
      if (!may_have_had(name, row.person, seen.request)) {
        ADD_FAILURE() << fmt::format("{} is served a token of {} at {}, issued {}; it moved at {}",
                                     name.key, row.person, format_iso8601(seen.request.from),
                                     format_iso8601(row.issued),
                                     format_iso8601(name.owners.back().second.from));
      }
      if (!row.delivered) {
        ADD_FAILURE() << name.key << " is served a token whose reply was never complete";
      }
      if (seen.request.from >= row.expires) {
        ADD_FAILURE() << name.key << " is served an expired token";
      }
      not_after_its_end(seen, name, row);
    }
    for (const auto& [name, request] : history_.refused_) {
      may_have_had(history_.names_[name], 0, request);
    }
    verdict_.tokens = history_.tokens_.size();
  }

  // --- Nothing is alive that should be dead ---
  void dead() {
    std::set<int> may_live;
    for (const std::string& key : history_.wanted_) {
      for (const auto& [person, when] : history_.names_[history_.name_ids_.at(key)].owners) {
        may_live.insert(person);
      }
    }
    for (const Row& row : rows_) {
      const History::Person* person = find(row.person);
      const bool was_gone =
          person != nullptr && std::ranges::any_of(person->gone, [&row](const Span& gone) {
            return row.issued <= gone.to;
          });
      if (was_gone) continue;  // Circle takes no revocation for it
      const bool signed_out = person != nullptr && !person->moved && row.access &&
                              std::ranges::any_of(person->sign_outs, [&row](const auto& out) {
                                return row.issued < out.first.from;
                              });
      const bool returned = history_.returned_.contains(row.token);
      if (may_live.contains(row.person) && !signed_out && !returned) continue;
      if (!is_on_record(row)) continue;
      ++verdict_.dead;
      if (row.state != "live") continue;
      ADD_FAILURE() << fmt::format("alive, and should be dead: {} token of {}, issued {}{}{}",
                                   row.access ? "access" : "refresh", row.person,
                                   format_iso8601(row.issued), signed_out ? ", signed out" : "",
                                   returned ? ", given back" : "");
    }
  }

  // --- No refresh is late: whoever is kept fresh has a living token at any time ---
  void late() {
    for (const auto& [id, person] : history_.persons_) {
      if (person.moved) continue;
      std::vector<Span> fed;  // when it was served a token of its own
      for (const auto& seen : history_.sightings_) {
        if (history_.names_[seen.name].person == id) fed.push_back(seen.request);
      }
      std::ranges::sort(fed, {}, &Span::from);
      std::vector<Span> cuts = person.cuts;
      std::ranges::sort(cuts, {}, &Span::from);
      WallTime since = campaign_.from;
      for (std::size_t i = 0; i <= cuts.size(); ++i) {
        const WallTime until = i < cuts.size() ? cuts[i].from : campaign_.to;
        const auto first = std::ranges::lower_bound(fed, since, {}, &Span::from);
        if (first != fed.end() && first->to < until) watch(id, {.from = first->to, .to = until});
        if (i < cuts.size()) since = std::max(since, cuts[i].to);
      }
    }
  }

  // --- No call is made that was not needed ---
  void needless() {
    const std::int64_t renewals =
        terms_.pair_renewed_every == Duration{0}
            ? 0
            : 1 + ((campaign_.to - campaign_.from) / terms_.pair_renewed_every);
    for (const auto& [id, rows] : by_person_) {
      const History::Person* person = find(id);
      const Row* last = nullptr;
      std::int64_t without_need = 0;
      GuessedRefusals guessed;
      for (const std::size_t at : rows) {
        const Row& row = rows_[at];
        if (!row.access) continue;
        if (last != nullptr && !was_needed(*last, row, person) &&
            !is_guessed(*last, row, person, guessed) && ++without_need > renewals) {
          ADD_FAILURE() << fmt::format(
              "a call for {} at {} was not needed: it had a token of {} with {} ms left", id,
              format_iso8601(row.issued), format_iso8601(last->issued),
              (last->expires - row.issued).count());
        }
        verdict_.without_need = std::max(verdict_.without_need, without_need);
        ++verdict_.needless_checked;
        last = is_on_record(row) ? &row : nullptr;
      }
    }
  }

  // What tokens cannot show: calls that brought none.
  void calls(const std::string& log) {
    std::map<std::string, std::size_t> revocations;  // by token
    std::size_t unknown = 0;
    std::size_t hurt = 0;  // calls that a fault took
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
      const bool faulty = line.find(" fault=") != std::string::npos;
      if (faulty) ++hurt;
      if (faulty) continue;
      if (line.find("/auth_token") != std::string::npos && line.ends_with(" 404")) ++unknown;
      const auto sent = line.find(" sent_");
      if (sent != std::string::npos && line.find("/revoke ") != std::string::npos) {
        ++revocations[line.substr(sent, line.find(' ', sent + 1) - sent)];
      }
    }
    std::size_t again = 0;
    std::set<std::string> gone;  // whose revocation Circle refuses while they are gone
    for (const Row& row : rows_) {
      const History::Person* person = find(row.person);
      if (person != nullptr && !person->gone.empty()) {
        gone.insert(fmt::format(" sent_{}={}", row.access ? "access" : "refresh",
                                format_fingerprint(fingerprint_of(row.token))));
      }
    }
    for (const auto& [token, count] : revocations) {
      if (!gone.contains(token)) again += count - 1;
    }
    // One whose reply a fault or a kill took is made again.
    const std::size_t lost = hurt + 2 * history_.kills_;
    EXPECT_LE(again, lost) << "tokens were revoked again and again";
    // A name that Circle does not know is remembered for ten seconds, and by one process.
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(campaign_.to - campaign_.from);
    const auto each = 2 + history_.kills_ + static_cast<std::size_t>(seconds.count()) / 10;
    std::size_t most = history_.wrong_names_.size() * each;
    for (const auto& [id, person] : history_.persons_) {
      if (!person.gone.empty()) most += 2 * (each + person.deeds.size());
    }
    EXPECT_LE(unknown, most) << "Circle was asked too often for whom it does not know";
  }

  Verdict verdict() const { return verdict_; }

 private:
  const History::Person* find(int id) const {
    const auto at = history_.persons_.find(id);
    return at == history_.persons_.end() ? nullptr : &at->second;
  }

  // Whether the daemon has surely had the token on record.
  bool is_on_record(const Row& row) const {
    if (history_.token_ids_.contains(row.token)) return true;
    return row.delivered &&
           !any_meets(history_.down_, {.from = row.issued, .to = row.issued + kNotDurable});
  }

  Duration excused(const Span& span) const {
    Duration sum{0};
    WallTime counted = span.from;
    for (const Span& excuse : excuses_) {
      const WallTime from = std::max(excuse.from, counted);
      const WallTime to = std::min(excuse.to, span.to);
      if (from >= to) continue;
      sum += to - from;
      counted = to;
    }
    return sum;
  }

  // A pair is renewed by the name that was asked for the longest ago, and a person has two that can
  // move. The last token of before may be served until its end.
  bool may_have_had(const History::Known& name, int person, const Span& request) {
    Duration longest = 2 * terms_.refresh_ttl + terms_.access_ttl + kClockSlack + kEffect;
    longest += excused({.from = request.from - longest, .to = request.from});
    bool has_had = false;
    for (const auto& [owner, when] : name.owners) {
      const bool in_time = when.from <= request.to && request.from <= when.to + longest;
      if (when.to != kEver && request.from > when.to + longest) ++verdict_.moves_judged;
      if (owner == person && when.to == kEver && when.from <= request.to) return true;
      if (owner == person && in_time) has_had = true;
    }
    return has_had;
  }

  void not_after_its_end(const History::Sighting& seen, const History::Known& name,
                         const Row& row) const {
    const History::Person* person = find(name.person);
    if (person == nullptr) return;
    const auto describe = [&](std::string_view what) {
      return fmt::format("{} is served a token {}: asked for at {}, issued {}", name.key, what,
                         format_iso8601(seen.request.from), format_iso8601(row.issued));
    };
    for (const Span& out : person->outs) {
      if (out.from < seen.request.from && seen.request.to < out.to) {
        ADD_FAILURE() << describe("although it is out");
      }
    }
    for (const auto& [sign_out, by] : person->sign_outs) {
      // Of one whose address moved, each name may be another member's.
      if (person->moved && by != name.key) continue;
      if (row.issued < sign_out.from && sign_out.to < seen.request.from) {
        ADD_FAILURE() << describe("of before its sign-out");
      }
    }
    const auto returned = history_.returned_.find(row.token);
    if (returned != history_.returned_.end() && returned->second < seen.request.from) {
      ADD_FAILURE() << describe("that was given back");
    }
  }

  // The living tokens of the person must cover the span, but for the excuses.
  void watch(int id, const Span& span) {
    WallTime covered = span.from;
    const auto rows = by_person_.find(id);
    const auto gap = [&](WallTime until) {
      const Span hole{.from = covered, .to = until};
      if (hole.from >= hole.to || excused(hole) >= hole.to - hole.from) return;
      ADD_FAILURE() << fmt::format("a refresh is late: {} has no token from {} until {}\n{}", id,
                                   format_iso8601(hole.from), format_iso8601(hole.to),
                                   around(id, hole));
    };
    if (rows != by_person_.end()) {
      for (const std::size_t at : rows->second) {
        const Row& row = rows_[at];
        if (!row.access || !row.delivered || row.expires <= covered) continue;
        if (row.issued >= span.to) break;
        if (row.issued > covered) gap(row.issued);
        covered = std::max(covered, row.expires);
      }
    }
    gap(span.to);
    verdict_.watched += span.to - span.from - excused(span);
  }

  // What happened to this person and to the daemon shortly before, for people.
  std::string around(int id, const Span& hole) const {
    const Span shortly{.from = hole.from - 2 * terms_.access_ttl, .to = hole.to};
    std::string text;
    for (const std::size_t at : by_person_.at(id)) {
      const Row& row = rows_[at];
      if (!meet(shortly, {.from = row.issued, .to = row.issued})) continue;
      text += fmt::format("{} issued {}, ends {}{}\n", row.access ? "access" : "refresh",
                          format_iso8601(row.issued), format_iso8601(row.expires),
                          row.delivered ? "" : ", reply lost");
    }
    for (const Span& excuse : excuses_) {
      if (!meet(shortly, excuse)) continue;
      text += fmt::format("excused from {} to {}\n", format_iso8601(excuse.from),
                          format_iso8601(excuse.to));
    }
    return text;
  }

  // When a deed may have caused calls. A kill or bad weather puts them off.
  Span effect_of(const Span& deed) const {
    Span effect = later(deed, kEffect);
    for (const Span& excuse : excuses_) {
      if (meet(effect, excuse)) effect.to = std::max(effect.to, excuse.to + kEffect);
    }
    return effect;
  }

  bool was_needed(const Row& last, const Row& row, const History::Person* person) const {
    const Duration left = last.expires - row.issued;
    if (left <= terms_.replaced_with_left) return true;
    return person != nullptr && any_causes(person->deeds, last, row);
  }

  bool any_causes(const std::vector<Span>& deeds, const Row& last, const Row& row) const {
    const Span between{.from = last.issued, .to = row.issued};
    return std::ranges::any_of(deeds,
                               [&](const Span& deed) { return meet(effect_of(deed), between); });
  }

  // Calls that are made because a client may have been refused its token.
  struct GuessedRefusals {
    int count = 0;
    WallTime last;
  };

  // One for its logins in 15 minutes, and one for its refreshes in a minute: no life of the daemon
  // is so long. A person that comes back is another member.
  bool is_guessed(const Row& last, const Row& row, const History::Person* person,
                  GuessedRefusals& guessed) const {
    constexpr int kInOneLife = 2;
    if (person == nullptr || !any_causes(person->asked_again, last, row)) return false;
    const Span since{.from = guessed.last, .to = row.issued};
    if (any_meets(history_.down_, since) || any_meets(person->cuts, since)) guessed.count = 0;
    guessed.last = row.issued;
    return ++guessed.count <= kInOneLife;
  }

  const History& history_;
  const Terms& terms_;
  const Span campaign_;
  std::vector<Row> rows_;  // in the order of issuing
  std::map<std::string, std::size_t> by_token_;
  std::map<int, std::vector<std::size_t>> by_person_;
  std::vector<Span> excuses_;  // sorted
  Verdict verdict_;
};

Verdict judge(const History& history, const boost::json::array& ledger, const std::string& log,
              const Terms& terms, Span campaign) {
  Judge judge(history, ledger, terms, campaign);
  judge.served();
  judge.dead();
  judge.late();
  judge.needless();
  judge.calls(log);
  return judge.verdict();
}

}  // namespace rota::e2e
